"""A mistake is reported once, and its consequences are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagdsl.frontend import analyse
from dagdsl.source import SourceFile

GOOD = """
param width: int = 16
router gate = gap |> fc |> sigmoid
block cell = conv(width) |> bn
net N {
  input image: f32[3, 32, 32]
  node stem: cell
  stage s { node n[2]: conv  connect complete via gate }
  image -> stem -> s
  output s
}
"""


def codes(text: str, name: str = "net.dg") -> list[str]:
    return [found.code for found in analyse(SourceFile(name, text)).diagnostics]


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        ("param width: int = 16", "param width: int 4 5 = 16"),
        ("router gate = gap |> fc |> sigmoid", "router gate = = gap |> fc"),
        ("block cell = conv(width) |> bn", "block cell = ) conv(width"),
        ("  input image: f32[3, 32, 32]", "  input image: f32[3 3 3 = 4"),
        ("  node stem: cell", "  node stem: |> |> ["),
        ("  output s", "  output s { = }"),
        ("gap |> fc |> sigmoid", "gap |> $ |> sigmoid"),
        ("gap |> fc |> sigmoid", "gap ; fc |> sigmoid"),
        ("gap |> fc |> sigmoid", "gap |> fc(3 |> sigmoid"),
        ("conv(width) |> bn", "conv(width |> bn"),
        ("node stem: cell", "node stem: cell conv(3, |> bn"),
    ],
)
def test_of_a_broken_statement(line: str, broken: str) -> None:
    assert codes(GOOD) == []
    found = codes(GOOD.replace(line, broken))
    assert found
    assert {code[:4] for code in found} == {"DG01"}


def test_other_names_are_reported_all_the_same() -> None:
    text = GOOD.replace("param width: int = 16", "param width: int 4 5 = 16")
    assert "DG0201" in codes(text.replace("node stem: cell", "node stem: cel"))


def test_of_an_import() -> None:
    text = 'import "std/nothing.dg" as a\n' + GOOD.replace("conv(width)", "conv(width) |> a.b")
    assert codes(text) == ["DG0204"]


def test_of_a_broken_statement_in_an_imported_file(tmp_path: Path) -> None:
    (tmp_path / "blocks.dg").write_text("block a = ) conv (\nblock b = conv\n")
    text = 'import "blocks.dg" as blocks\n' + GOOD.replace("conv(width)", "blocks.a |> blocks.c")
    found = codes(text, str(tmp_path / "net.dg"))
    assert found.count("DG0201") == 1
    assert {code[:4] for code in found} == {"DG01", "DG02"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("  output s\n", "", "DG0507"),
        ("  input image: f32[3, 32, 32]\n  node stem", "  node stem", "DG0506"),
        ("n[2]", "n[1000000000]", "DG0508"),
        ("conv(width)", "conv(1e999)", "DG0106"),
        ("bn\n", 'upsample(mode = "nearest)\n', "DG0103"),
    ],
)
def test_one_mistake_one_report(old: str, new: str, code: str) -> None:
    text = GOOD.replace("image -> stem", "stem", 1) if code == "DG0506" else GOOD
    found = codes(text.replace(old, new, 1))
    assert found[0] == code or found == [code]
    assert {one for one in found if not one.startswith("DG01")} <= {code}


@pytest.mark.parametrize("huge", ["1e308", "round(1e308)", "round(1e308) * 16", "1e308 * 10"])
def test_huge_numbers(huge: str) -> None:
    text = GOOD.replace("param width: int = 16", f"param width: int = {huge}")
    assert set(codes(text)) == {"DG0304"}
    stage = GOOD.replace("stage s {", f"stage s {{ channels = {huge}  x = channels * 10")
    assert set(codes(stage)) == {"DG0304"}


def test_of_more_circles_than_are_reported() -> None:
    names = [f"n{i}" for i in range(60)]
    circles = " ".join(f"{a} -> {a}x -> {a}" for a in names)
    nodes = ", ".join(f"{a}, {a}x" for a in names)
    text = (
        f"net N {{ input image: f32[3, 8, 8] node {nodes}: conv node out1: conv\n{circles}\n"
        f"image -> n0 image, {', '.join(names)} -> out1 via learned |> softmax output out1 }}"
    )
    assert set(codes(text)) == {"DG0501"}
