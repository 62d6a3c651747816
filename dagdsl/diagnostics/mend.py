"""A text and the fixes of its diagnostics -> the mended text."""

from __future__ import annotations

from collections.abc import Iterable

from dagdsl.diagnostics.model import Diagnostic, Edit, Fix
from dagdsl.source import SourceFile


def fixes_of(diagnostics: Iterable[Diagnostic], source: SourceFile) -> list[Fix]:
    """The fixes that change nothing but this file, and of those that touch each other the first."""
    chosen: list[Fix] = []
    taken: list[Edit] = []
    for found in diagnostics:
        fix = found.fix
        if fix is None or any(edit.span.file != source for edit in fix.edits):
            continue
        if not any(_touch(edit, other) for edit in fix.edits for other in taken):
            chosen.append(fix)
            taken += fix.edits
    return chosen


def mended(source: SourceFile, fixes: Iterable[Fix]) -> SourceFile:
    """The file with all edits made."""
    text = source.text
    edits = (edit for fix in fixes for edit in fix.edits)
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return SourceFile(source.name, text)


def _touch(a: Edit, b: Edit) -> bool:
    return a.span.start <= b.span.end and b.span.start <= a.span.end
