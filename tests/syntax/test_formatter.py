from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagdsl.diagnostics.sink import Sink
from dagdsl.source import SourceFile
from dagdsl.syntax import ast, formatter
from dagdsl.syntax.comments import comments_of
from dagdsl.syntax.formatter import format_text, same_tree
from dagdsl.syntax.layout import WIDTH
from dagdsl.syntax.printer import print_file
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import tokenize
from tests.conftest import Golden
from tests.syntax.trees import files, parse_good

CASES = sorted((Path(__file__).parent / "format").glob("*.dg"))
ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*ROOT.glob("examples/**/*.dg"), *ROOT.glob("dagdsl/std/**/*.dg")])


def formatted(text: str) -> str:
    result = format_text(SourceFile("test.dg", text), Sink())
    assert result is not None
    return result


def comments(text: str) -> list[str]:
    source = SourceFile("test.dg", text)
    return comments_of(source, tokenize(source, Problems(source, Sink())))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_cases(path: Path, golden: Golden) -> None:
    golden(path.with_suffix(".fmt"), formatted(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


@given(files, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_any_file(file: ast.File, random_: random.Random) -> None:
    text = _scattered(print_file(file), random_)
    result = formatted(text)
    assert same_tree(parse_good(result).items, file.items)
    assert comments(result) == comments(text)
    assert formatted(result) == result


@given(files)
@settings(max_examples=100, deadline=None)
def test_lines_are_only_too_long_if_unbreakable(file: ast.File) -> None:
    for line in formatted(print_file(file)).splitlines():
        # Names, numbers, references in wires and strings cannot be broken.
        assert len(line) <= WIDTH + 40 or '"' in line or " + " not in line


def _scattered(text: str, random_: random.Random) -> str:
    """Return the same tokens with random comments and line breaks between them."""
    source = SourceFile("test.dg", text)
    pieces = []
    for number, token in enumerate(tokenize(source, Problems(source, Sink()))):
        gap = random_.choice([" "] * 12 + ["\n", "\n\n\n", f" # c{number}\n", f"\n  #c{number} \n"])
        pieces += [gap, str(token)]
    return "".join(pieces)


@pytest.mark.parametrize("text", ["net A {", "net A { x = }", "@", "edition 2", '"'])
def test_broken_files_are_left_alone(text: str) -> None:
    sink = Sink()
    assert format_text(SourceFile("test.dg", text), sink) is None
    assert sink.has_errors


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("\n\n", ""),
        ("edition  1", "edition 1\n"),
        ("\n# only\n\n\n  # comments", "# only\n\n# comments\n"),
        (
            "net A {\r\n\tinput x: f32[4]# c\r\n}\r\n",
            "net A {\n  input x: f32[4]  # c\n}\n",
        ),
    ],
)
def test_odd_files(text: str, result: str) -> None:
    assert formatted(text) == result


@pytest.mark.parametrize(
    ("spoil", "bug"),
    [
        (lambda text: text.replace("conv", "convv"), formatter.TreeChanged),
        (lambda text: text.replace("conv", "("), formatter.TreeChanged),
        (lambda text: text.replace("# c", ""), formatter.CommentsChanged),
        (lambda text: text + "\n", formatter.Unstable),
    ],
)
def test_a_damaged_result_raises(
    spoil: Callable[[str], str], bug: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = formatter._formatted
    calls: Iterator[Callable[[str], str]] = iter([spoil, str])
    monkeypatch.setattr(formatter, "_formatted", lambda *args: next(calls)(good(*args)))
    with pytest.raises(bug):
        formatted("router r = conv # c")
