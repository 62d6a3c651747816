"""The syntax errors of one file as diagnostics, limited in number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dagdsl.diagnostics import model
from dagdsl.diagnostics.model import Fix, Label
from dagdsl.diagnostics.sink import Sink
from dagdsl.limits import MAX_PROBLEMS
from dagdsl.source import SourceFile, Span


class OffsetEdit(NamedTuple):
    """Replace the characters from `start` to `end` (exclusive) by `text`."""

    start: int
    end: int
    text: str

    def as_fix(self, source: SourceFile) -> Fix:
        """Return the edit as a fix with a title."""
        before, after = source.text[self.start : self.end].strip(), self.text.strip()
        if not before:
            title = f"insert {quoted(after)}"
        elif not after:
            title = f"remove {quoted(before)}"
        else:
            title = f"change {quoted(before)} to {quoted(after)}"
        span = Span(source, self.start, self.end)
        return Fix(title, (model.Edit(span, self.text),))


class Problems:
    """Reports the errors of one file by offsets, up to `MAX_PROBLEMS`."""

    def __init__(self, source: SourceFile, sink: Sink) -> None:
        self._source = source
        self._sink = sink
        self._reported = 0

    @property
    def full(self) -> bool:
        """Whether the limit is reached, so that the rest of the file is not read."""
        return self._reported >= MAX_PROBLEMS

    @property
    def found(self) -> bool:
        """Whether anything was reported."""
        return self._reported > 0

    def report(
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        *,
        label: str = "",
        notes: Iterable[tuple[int, int, str]] = (),
        help: str = "",
        edit: OffsetEdit | None = None,
    ) -> None:
        """Report an error. The last one before the limit is followed by a note about the limit.

        `edit` becomes a quick fix; it is given if there is only one way to correct the error.
        """
        if self.full:
            return
        labels = [Label(self._span(*note[:2]), note[2]) for note in notes]
        fix = None if edit is None else edit.as_fix(self._source)
        self._sink.error(
            code, self._span(start, end), message, label=label, notes=labels, help=help, fix=fix
        )
        self._reported += 1
        if self.full:
            last = len(self._source.text)
            self._sink.error(
                "DG0004",
                self._span(last, last),
                f"{MAX_PROBLEMS} problems: the rest of the file is not checked",
            )

    def _span(self, start: int, end: int) -> Span:
        return Span(self._source, start, end)


def quoted(text: str) -> str:
    """Return text from the file for a message: in backticks and shortened."""
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`"
