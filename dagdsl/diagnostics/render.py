"""Diagnostics -> terminal text: the source line, carets under the location, and the help.

File contents are untrusted: only printable characters of them reach the terminal.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dagdsl.diagnostics.model import Diagnostic, Severity
from dagdsl.source import Span

_COLOUR = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}
_FRAME: Final = "blue"
_NOTE: Final = "bold blue"
_TAB: Final = "    "
_NARROWEST: Final = 40
"""Minimum number of source columns shown, however narrow the terminal."""


def render(diagnostics: Iterable[Diagnostic], console: Console) -> None:
    """Print each diagnostic, followed by an empty line."""
    for diagnostic in diagnostics:
        text = _render_one(diagnostic, console.width)
        # Wrapping would separate the carets from the text they point at.
        console.print(text, soft_wrap=True, highlight=False)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Count the diagnostics as `2 errors, 1 warning`. Empty if there are none.

    >>> from dagdsl.frontend import analyse
    >>> from dagdsl.source import SourceFile
    >>> summary(analyse(SourceFile("a.dg", "block a = convv")).diagnostics)
    '1 error'
    """
    counts = Counter(diagnostic.severity for diagnostic in diagnostics)
    return ", ".join(
        f"{counts[severity]} {severity}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    )


def _render_one(diagnostic: Diagnostic, width: int) -> Text:
    colour = _COLOUR[diagnostic.severity]
    spans = [diagnostic.span, *(note.span for note in diagnostic.notes)]
    gutter = max(len(str(span.file.position(span.start).line)) for span in spans)
    text = Text()
    text.append(f"{diagnostic.severity}[{diagnostic.code}]", colour)
    text.append(f": {visible(diagnostic.message)}\n", "bold")
    _append_snippet(text, diagnostic.span, gutter, width, "-->", "^", diagnostic.label, colour)
    for note in diagnostic.notes:
        _append_snippet(text, note.span, gutter, width, ":::", "-", note.message, _NOTE)
    if diagnostic.help:
        text.append(f"{' ' * gutter} = ", _FRAME)
        text.append("help", "bold")
        text.append(f": {visible(diagnostic.help)}\n")
    return text


def _append_snippet(
    text: Text, span: Span, gutter: int, width: int, arrow: str, mark: str, label: str, style: str
) -> None:
    blank = " " * gutter
    name = visible(span.file.name)
    text.append(f"{blank}{arrow} ", _FRAME)
    if not span.file.text:
        # The file is empty or could not be read, so there is no line to show.
        text.append(f"{name}\n")
        if label:
            text.append(f"{blank} = ", _FRAME)
            text.append(f"{visible(label)}\n", style)
        return
    at = span.file.position(span.start)
    text.append(f"{name}:{at.line}:{at.column}\n")
    excerpt = _excerpt(span, max(width - gutter - 3, _NARROWEST))
    text.append(f"{blank} |\n", _FRAME)
    text.append(f"{at.line:>{gutter}} |", _FRAME)
    text.append(f" {excerpt.line}".rstrip() + "\n")
    text.append(f"{blank} | ", _FRAME)
    marks = mark * excerpt.length + (f" {visible(label)}" if label else "")
    text.append(f"{' ' * excerpt.offset}{marks}\n", style)


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """The visible part of a line. `offset` and `length` of the marks are in terminal columns."""

    line: str
    offset: int
    length: int


def _excerpt(span: Span, width: int) -> _Excerpt:
    at = span.file.position(span.start)
    line = span.file.line(at.line)
    first = min(at.column - 1, len(line))
    # If the span covers several lines, mark the first line to its end.
    last = min(first + span.end - span.start, len(line))
    low, high = _window(line, first, last, width)
    before, marked, after = (
        visible(part) for part in (line[low:first], line[first : min(last, high)], line[last:high])
    )
    left, right = "…" if low else "", "…" if high < len(line) else ""
    return _Excerpt(
        f"{left}{before}{marked}{after}{right}",
        cell_len(left + before),
        max(cell_len(marked), 1),
    )


def _window(line: str, first: int, last: int, width: int) -> tuple[int, int]:
    """The range of characters to show so that `first` to `last` are visible."""
    # Measure only the part of a very long line that could be shown.
    near = range(max(0, first - width), min(len(line), last + width, first + 2 * width))
    cells = {index: cell_len(visible(line[index])) for index in near}
    if near.start == 0 and near.stop == len(line) and sum(cells.values()) <= width:
        return 0, len(line)
    room = width - 2
    low = high = first
    # Room goes to the marked part first, then a third of the rest to the text before it, then to
    # the text after it.
    while high < min(last, near.stop) and cells[high] <= room:
        room -= cells[high]
        high += 1
    in_front = room // 3 if last < len(line) else room
    while low > near.start and cells[low - 1] <= in_front:
        low -= 1
        in_front -= cells[low]
        room -= cells[low]
    while high in cells and cells[high] <= room:
        room -= cells[high]
        high += 1
    return low, high


def visible(text: str) -> str:
    """Replace control, format and other invisible characters by visible ones.

    >>> visible("a\\tb\\x1b")
    'a    b␛'
    """
    return "".join(char if " " <= char <= "~" else _visible_char(char) for char in text)


def _visible_char(char: str) -> str:
    if char == "\t":
        return _TAB
    if char < " ":
        return chr(0x2400 + ord(char))
    if char == "\x7f":
        return "\u2421"
    # Format characters can reverse the text direction; unpaired surrogates cannot be printed.
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return f"<U+{ord(char):04X}>"
    return char


def plain(diagnostics: Sequence[Diagnostic], width: int = 100) -> str:
    """Return the output of `render` without colours, for logs and tests."""
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        render(diagnostics, console)
    return capture.get()
