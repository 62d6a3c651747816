"""The fixes of diagnostics: which to apply, and the corrected text."""

from __future__ import annotations

from collections.abc import Iterable

from dagdsl.diagnostics.model import Diagnostic, Edit, Fix
from dagdsl.source import SourceFile


def applicable_fixes(diagnostics: Iterable[Diagnostic], source: SourceFile) -> list[Fix]:
    """Return the fixes that edit only `source`. If two overlap or touch, the first wins."""
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


def apply_fixes(source: SourceFile, fixes: Iterable[Fix]) -> SourceFile:
    """Return the file with all edits applied.

    >>> from dagdsl.frontend import analyse
    >>> file = SourceFile("a.dg", "block a = convv |> bn")
    >>> apply_fixes(file, applicable_fixes(analyse(file).diagnostics, file)).text
    'block a = conv |> bn'
    """
    text = source.text
    edits = (edit for fix in fixes for edit in fix.edits)
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return SourceFile(source.name, text)


def _touch(a: Edit, b: Edit) -> bool:
    return a.span.start <= b.span.end and b.span.start <= a.span.end
