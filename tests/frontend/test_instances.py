"""Nets derived from nets, and files of the standard library."""

from __future__ import annotations

from pathlib import Path

import pytest

import dagdsl
from dagdsl.analysis.shapes import output_of
from dagdsl.frontend import analyse, analyse_file
from dagdsl.source import SourceFile

GENERIC = """
block wide(channels, kernel = 1) = conv(channels, kernel = kernel)
net general(cell: op, depths: list, width: int = 8, classes: int = 2) {
  input image: f32[3, 8, 8]
  stage s { channels = width  node n[depths[0]]: cell(width)  connect chain }
  node logits: gap |> fc(classes)
  image -> s -> logits
  output logits
}
net small = general(wide, [1])
net large = general(wide(kernel = 3), [3], width = 16)
net few   = large(classes = 5)
"""


def test_a_net_is_derived_from_a_net() -> None:
    small, large = (dagdsl.loads(GENERIC, net=name) for name in ("small", "large"))
    assert (small.name, large.name) == ("small", "large")
    assert (small.graph.node("s").shape[0], large.graph.node("s").shape[0]) == (8, 16)
    assert small.settings == {"depths": [1], "width": 8, "classes": 2}


def test_open_formals_can_be_given_later() -> None:
    assert dagdsl.loads(GENERIC, net="few").graph.node("logits").shape == (5,)
    assert dagdsl.loads(GENERIC, net="large", classes=7).graph.node("logits").shape == (7,)
    with pytest.raises(dagdsl.UsageError, match="no param `width`; the params are `classes`"):
        dagdsl.loads(GENERIC, net="large", width=3)


def test_a_generic_net_is_checked_through_nets_derived_from_it() -> None:
    analysis = analyse(SourceFile("n.dg", GENERIC))
    assert analysis.diagnostics == []
    assert list(analysis.nets) == ["small", "large", "few"]
    assert not analyse(SourceFile("n.dg", GENERIC), net="few").has_errors


def test_a_generic_net_that_is_not_used_lacks_values() -> None:
    (found,) = analyse(SourceFile("n.dg", GENERIC), net="general").diagnostics[:1]
    assert (found.code, found.span.text) == ("DG0212", "cell: op")


def test_a_mistake_names_the_derived_net() -> None:
    text = GENERIC.replace("few   = large(classes = 5)", "odd = general(gap |> fc(4), [2])")
    (found,) = analyse(SourceFile("n.dg", text)).diagnostics
    assert found.code == "DG0213"
    assert "net `odd`" in found.notes[-1].message


def test_nets_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "family.dg").write_text(GENERIC)
    main = tmp_path / "main.dg"
    main.write_text('import "family.dg"\nnet mine = family.general(family.wide, [2], width = 4)')
    assert analyse_file(main).diagnostics == []
    assert dagdsl.load(main).graph.node("s").shape[0] == 4
    main.write_text('import "family.dg" as f\nnet mine = f.few(width = 4)')
    assert [d.code for d in analyse_file(main).diagnostics] == ["DG0210"]


def test_params_of_the_file_that_a_net_is_derived_from(tmp_path: Path) -> None:
    """They are set like the params of the file itself, which take precedence."""
    (tmp_path / "family.dg").write_text(
        "param wide: int = 8 in 1..64 param deep: int = wide in 1..64 param own: int = 3"
        "net general(classes: int = 2) {"
        "  input x: f32[4] node y: fc(wide) |> fc(deep) |> fc(own) |> fc(classes) x -> y output y"
        "}"
    )
    (tmp_path / "other.dg").write_text('import "family.dg" net few = family.general(classes = 5)')
    main = tmp_path / "main.dg"
    main.write_text('import "other.dg" param own: int = 9 net mine = other.few net two = other.few')

    def widths(**params: int) -> list[int]:
        steps = dagdsl.load(main, net="mine", **params).graph.node("y").steps
        return [output_of(step)[0] for step in steps]

    assert widths() == [8, 8, 3, 5]
    assert widths(wide=16) == [16, 16, 3, 5]
    assert widths(wide=16, deep=2) == [16, 2, 3, 5]
    assert widths(own=7) == [8, 8, 3, 5]
    assert dagdsl.load(main, net="mine", wide=16).settings["wide"] == 16
    with pytest.raises(dagdsl.UsageError, match="`wide` must be between 1 and 64, not 65"):
        widths(wide=65)
    with pytest.raises(dagdsl.UsageError, match="the params are `deep`, `own`, `wide`"):
        widths(wild=1)


def test_params_of_files_that_are_only_imported_are_not_set(tmp_path: Path) -> None:
    (tmp_path / "blocks.dg").write_text("param wide: int = 8 block b = fc(wide)")
    main = tmp_path / "main.dg"
    main.write_text('import "blocks.dg" net N { input x: f32[4] node y: blocks.b x -> y output y }')
    with pytest.raises(dagdsl.UsageError, match="the file has no params"):
        dagdsl.load(main, wide=3)


def test_a_path_into_the_standard_library() -> None:
    net = dagdsl.load("std/models/resnet.dg", net="resnet18", size=32, width=8, classes=3)
    assert net.graph.node("logits").shape == (3,)
    origin = net.graph.node("s[0]").origin
    assert origin is not None
    assert origin.span.file.name == "std/models/resnet.dg"
    (found,) = analyse_file(Path("std/models/reznet.dg")).diagnostics
    assert (found.code, found.span.file.name) == ("DG0001", "std/models/reznet.dg")


def test_a_file_on_disk_comes_before_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = Path("std/mobile.dg")
    own.parent.mkdir()
    own.write_text("net N { input x: f32[4] node y: fc(2) x -> y output y }")
    assert dagdsl.load(own).name == "N"


def test_only_some_outputs() -> None:
    net = dagdsl.load("std/models/resnet.dg", net="resnet18", size=32, width=8)
    body = net.only("features")
    assert [output.name for output in body.outputs] == ["features"]
    assert [node.name for node in body.graph.nodes] == [
        "image",
        "stem",
        "s[0]",
        "s[1]",
        "s[2]",
        "s[3]",
    ]
    assert [node.name for node in net.only("logits").graph.nodes][-1] == "logits"
    assert net.only("logits", "features") == net
    with pytest.raises(dagdsl.UsageError, match="no output `taps`; it has `logits`, `features`"):
        net.only("taps")


def test_a_cut_through_a_router_is_refused() -> None:
    text = """
        net N {
          input x: f32[4, 8, 8]
          node a, b, c: relu
          x -> a
          a -> b, c via gap |> fc |> sigmoid
          output b
          output c
        }
    """
    with pytest.raises(dagdsl.UsageError, match="weighs edges on both sides of the cut"):
        dagdsl.loads(text).only("b")


def test_number_and_depth_of_nets_are_limited() -> None:
    many = GENERIC + "\n".join(f"net n{i} = small" for i in range(300))
    assert "DG0508" in [d.code for d in analyse(SourceFile("n.dg", many)).diagnostics]
    deep = GENERIC + "net n0 = small\n" + "\n".join(f"net n{i + 1} = n{i}" for i in range(200))
    found = analyse(SourceFile("n.dg", deep), net="n199").diagnostics
    assert [d.code for d in found] == ["DG0508"]
