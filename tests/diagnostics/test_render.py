from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from dagdsl.diagnostics.model import Diagnostic, Label, Severity
from dagdsl.diagnostics.render import plain, render, summary, visible
from dagdsl.source import SourceFile, Span


def _at(text: str, marked: str, name: str = "net.dg") -> Span:
    start = text.index(marked)
    return Span(SourceFile(name, text), start, start + len(marked))


def _carets(text: str, marked: str, width: int = 100) -> tuple[str, str]:
    """The source line and the line of carets below it, from the first text column on."""
    lines = plain([Diagnostic("DG0102", "message", _at(text, marked))], width).splitlines()
    return lines[3].partition("| ")[2], lines[4].partition("| ")[2]


def test_all_parts() -> None:
    text = "net A {\n" * 9 + "  stage s1 {\n"
    other = "block b = conv\n"
    diagnostic = Diagnostic(
        "DG0201",
        "unknown name `s1`",
        _at(text, "s1"),
        label="not a node",
        notes=(
            Label(_at(text, "net"), "in this net"),
            Label(_at(other, "conv", "std/a.dg"), "from here"),
        ),
        help="did you mean `s2`?",
    )
    assert (
        plain([diagnostic])
        == """\
error[DG0201]: unknown name `s1`
  --> net.dg:10:9
   |
10 |   stage s1 {
   |         ^^ not a node
  ::: net.dg:1:1
   |
 1 | net A {
   | --- in this net
  ::: std/a.dg:1:11
   |
 1 | block b = conv
   |           ---- from here
   = help: did you mean `s2`?

"""
    )


def test_an_empty_file_shows_no_source_line() -> None:
    nowhere = Span(SourceFile("missing.dg", ""), 0, 0)
    diagnostic = Diagnostic("DG0001", "cannot read the file", nowhere, help="look for it")
    assert (
        plain([diagnostic])
        == "error[DG0001]: cannot read the file\n --> missing.dg\n  = help: look for it\n\n"
    )


def test_tabs_and_wide_characters_align() -> None:
    line, carets = _carets('\tx = "数据" |> bad', "bad")
    assert line == '    x = "数据" |> bad'
    assert carets == " " * cell_len('    x = "数据" |> ') + "^^^"


def test_wide_characters_under_the_carets() -> None:
    assert _carets("x 数据 y", "数据") == ("x 数据 y", "  ^^^^")
    assert _carets("x e\u0301 y", "e\u0301")[1] == "  ^"
    assert _carets("x e\u0301 y", "\u0301")[1] == "   ^"


def test_end_of_line_and_of_file() -> None:
    assert _carets("x =\ny = 3", "\n") == ("x =", "   ^")
    end = Span(SourceFile("net.dg", "net A {\n"), 8, 8)
    assert "2 |\n  | ^\n" in plain([Diagnostic("DG0102", "message", end)])


def test_crlf() -> None:
    assert _carets("a\r\nx = 3\r\n", "x = 3\r\n") == ("x = 3", "^^^^^")


def test_a_multi_line_span_is_marked_on_its_first_line() -> None:
    assert _carets("net A {\n  x\n}", "A {\n  x\n}") == ("net A {", "    ^^^")


@pytest.mark.parametrize("at", [0, 10, 500, 990])
@pytest.mark.parametrize("width", [20, 60, 100])
def test_long_lines_are_clipped_around_the_carets(at: int, width: int) -> None:
    text = "x" * at + "bad" + "y" * (1000 - at)
    line, carets = _carets(text, "bad", width)
    assert len(line) <= max(width, 40)
    assert line[carets.index("^") : len(carets)] == "bad"
    assert line.startswith("…") == (at > 10)
    assert line.endswith("…") == (at < 990)


def test_a_long_marked_part_is_clipped() -> None:
    line, carets = _carets("x" * 5_000_000, "x" * 4_000_000)
    assert len(line) <= 100
    assert len(carets) <= 100
    line, carets = _carets("数" * 1000, "数" * 900, 61)
    assert cell_len(line) <= 61
    assert len(carets) <= 61


def test_no_control_characters_reach_the_terminal() -> None:
    text = "a \x1b[31m\x00\x07\x7f\x9b\r\u202e\u2028\ud800[bold]:smile: x"
    diagnostic = Diagnostic(
        "DG0102", f"m {text}\n", _at(text, "x", f"n {text}"), label=text, help=text
    )
    out = plain([diagnostic], 200)
    assert all(char == "\n" or char.isprintable() for char in out)
    assert "[bold]:smile:" in out
    assert "<U+202E>" in out
    stream = io.StringIO()
    render([diagnostic], Console(file=stream, force_terminal=True, color_system="truecolor"))
    assert "\x1b[31m\x00" not in stream.getvalue()
    assert "␛[31m␀" in stream.getvalue()


def test_visible() -> None:
    assert visible("a\tb\x1b\x7f é 数") == "a    b␛␡ é 数"


def test_colours_only_on_a_terminal() -> None:
    diagnostic = Diagnostic("DG0102", "message", _at("x", "x"))
    stream = io.StringIO()
    render([diagnostic], Console(file=stream, force_terminal=True, color_system="standard"))
    assert "\x1b[" in stream.getvalue()
    assert "\x1b[" not in plain([diagnostic])


def test_summary() -> None:
    error = Diagnostic("DG0102", "message", _at("x", "x"))
    warning = Diagnostic("DG0801", "message", _at("x", "x"), Severity.WARNING)
    assert summary([]) == ""
    assert summary([error]) == "1 error"
    assert summary([warning, error, error]) == "2 errors, 1 warning"
    assert plain([warning]).startswith("warning[DG0801]: ")
