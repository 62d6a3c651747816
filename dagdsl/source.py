"""Source files, spans and origins. The only module that deals with lines and columns."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class SourceFile:
    """The text of a file. Messages show `name`: a path, or `<stdin>`."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        starts.extend(i + 1 for i, char in enumerate(self.text) if char == "\n")
        return starts

    def position(self, offset: int) -> Position:
        """Return line and column of an offset, both from 1, in characters."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def utf16_position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset as editors count: from 0, in UTF-16 code units."""
        at = self.position(offset)
        start = self._line_starts[at.line - 1]
        return at.line - 1, _utf16_length(self.text[start : start + at.column - 1])

    def utf16_offset(self, line: int, column: int) -> int:
        """Return the offset of an editor's position, clipped to its line and to the text."""
        if line >= len(self._line_starts):
            return len(self.text)
        start = self._line_starts[line]
        text = self.line(line + 1)
        if text.isascii():
            return start + min(column, len(text))
        for index, char in enumerate(text):
            column -= _utf16_length(char)
            if column < 0:
                return start + index
        return start + len(text)

    def line(self, number: int) -> str:
        """Return the text of a line (from 1) without its line break."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end].removesuffix("\r")


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A position in a file, with `line` and `column` from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Span:
    """The characters from `start` to `end` (exclusive) of a file."""

    file: SourceFile
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of `other`, in the same file."""
        return Span(self.file, self.start, max(self.end, other.end))

    @property
    def text(self) -> str:
        """The text of the span."""
        return self.file.text[self.start : self.end]

    def __repr__(self) -> str:
        at = self.file.position(self.start)
        return f"{self.file.name}:{at.line}:{at.column}"


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of an expansion: the text at `span` caused `what` to be expanded."""

    what: str
    span: Span


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an IR element comes from: its text, and the expansions that led to it.

    `frames` runs from the outermost to the innermost expansion. For an op in a block of an imported
    file, `span` is the text of the op, and the first frame is the node that uses the block.
    """

    span: Span
    frames: tuple[Frame, ...] = ()

    @property
    def outermost(self) -> Span:
        """The span in the file that the user edits: where the first expansion started."""
        return self.frames[0].span if self.frames else self.span
