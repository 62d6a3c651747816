"""What the parser finds wrong -> diagnostics of one file, no more than a person could read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dagdsl.diagnostics import model
from dagdsl.diagnostics.model import Fix, Label
from dagdsl.diagnostics.sink import Sink
from dagdsl.limits import MAX_PROBLEMS
from dagdsl.source import SourceFile, Span


class Edit(NamedTuple):
    """Put `text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str

    def as_fix(self, source: SourceFile) -> Fix:
        """The edit with a title."""
        before, after = source.text[self.start : self.end].strip(), self.text.strip()
        if not before:
            title = f"insert {shown(after)}"
        elif not after:
            title = f"remove {shown(before)}"
        else:
            title = f"change {shown(before)} to {shown(after)}"
        span = Span(source, self.start, self.end)
        return Fix(title, (model.Edit(span, self.text),))


class Problems:
    """A sink for one file: places are offsets, and it says when there is no use in going on."""

    def __init__(self, source: SourceFile, sink: Sink) -> None:
        self._source = source
        self._sink = sink
        self._reported = 0

    @property
    def full(self) -> bool:
        """Whether the rest of the file is not to be read."""
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
        edit: Edit | None = None,
    ) -> None:
        """Report one mistake; the one that makes it `full` brings the remark that it is.

        `edit` mends it, if there is one right way to.
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


def shown(text: str) -> str:
    """A piece of the file as it stands in a message: quoted, and not too long."""
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`"
