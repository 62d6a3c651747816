"""Removes the declarations that a rewriting has left unused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dagdsl.diagnostics.sink import Sink
from dagdsl.frontend import Analysis, analyse
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.formatter import format_text
from dagdsl.syntax.parser import parse

_UNUSED: Final = "DG0801"


def without_unused(file: SourceFile, found: Analysis, before: Analysis) -> str:
    """Return the text without the declarations that are no longer used and the comments above them.

    `found` is the analysis of the text, `before` that of the original text: declarations that were
    unused there stay.
    """
    known = {d.message for d in before.diagnostics}
    while True:
        new = {d.span for d in found.diagnostics if d.code == _UNUSED and d.message not in known}
        gone = next((statement for at, statement in _declarations(file) if at in new), None)
        text = None if gone is None else format_text(_cut(gone), Sink())
        if text is None:
            return file.text
        file = SourceFile(file.name, text)
        found = analyse(file)


def _declarations(file: SourceFile) -> Iterator[tuple[Span, Span]]:
    """The span at which the checker reports a declaration, and that of its whole statement."""
    for item in parse(file, Sink()).items:
        if isinstance(item, ast.Import):
            yield item.span, item.span
        elif isinstance(item, ast.Param | ast.Router | ast.Block):
            yield item.name.span, item.span
        elif isinstance(item, ast.Net):
            inner = [s for stage in item.body if isinstance(stage, ast.Stage) for s in stage.body]
            for statement in (*item.body, *inner):
                if isinstance(statement, ast.Let):
                    yield statement.name.span, statement.span


def _cut(gone: Span) -> SourceFile:
    """The text without a declaration and the comment lines directly above it."""
    text = gone.file.text
    head, tail = text[: gone.start].rstrip(" "), text[gone.end :]
    if head.endswith("\n"):
        lines = head.splitlines(keepends=True)
        while lines and lines[-1].lstrip().startswith("#"):
            lines.pop()
        head, tail = "".join(lines), tail.removeprefix("\n")
    return SourceFile(gone.file.name, head + tail)
