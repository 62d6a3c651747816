"""Diagnostics of the front end -> diagnostics and quick fixes of the protocol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lsprotocol import types as lsp

from dagdsl.diagnostics.model import Diagnostic, Fix, Severity
from dagdsl.lsp.index import FileIndex
from dagdsl.lsp.positions import location, range_of, uri_of
from dagdsl.lsp.symbols import path_of
from dagdsl.sema.scope import Module
from dagdsl.source import Span
from dagdsl.syntax.reader import STD

_SEVERITY = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
}
_UNUSED = "DG0801"


def problems(index: FileIndex) -> list[lsp.Diagnostic]:
    """Return the diagnostics of a file.

    One in an imported file is shown at the import, with the real location as related information.
    """
    return [_convert(found, index) for found in index.analysis.diagnostics]


def _convert(found: Diagnostic, index: FileIndex) -> lsp.Diagnostic:
    span = _span_in(found, index)
    related = [(note.span, note.message) for note in found.notes]
    if span is not found.span:
        related.insert(0, (found.span, found.label or found.message))
    lines = [found.message]
    if found.label:
        lines[0] += f": {found.label}"
    if found.help:
        lines.append(f"help: {found.help}")
    return lsp.Diagnostic(
        range_of(span),
        "\n".join(lines),
        severity=_SEVERITY[found.severity],
        code=found.code,
        source="dagdsl",
        tags=[lsp.DiagnosticTag.Unnecessary] if found.code == _UNUSED else None,
        related_information=[
            lsp.DiagnosticRelatedInformation(location(at), message) for at, message in related
        ]
        or None,
    )


def _span_in(found: Diagnostic, index: FileIndex) -> Span:
    """Where to show a diagnostic in this file: its own span, a note's, or the import's."""
    name = index.source.name
    for span in (found.span, *(note.span for note in found.notes)):
        if span.file.name == name:
            return span
    for statement, module in index.module.imports.values():
        if found.span.file.name in _names(module):
            return statement.path.span
    return Span(index.source, 0, 0)


def _names(module: Module) -> Iterator[str]:
    yield module.file.source.name
    for _, imported in module.imports.values():
        yield from _names(imported)


def fixes(index: FileIndex, wanted: lsp.Range) -> list[lsp.CodeAction]:
    """Return the quick fixes of the diagnostics within a range."""
    return [
        lsp.CodeAction(
            found.fix.title,
            lsp.CodeActionKind.QuickFix,
            [_convert(found, index)],
            is_preferred=True,
            edit=_edit(found.fix),
        )
        for found in index.analysis.diagnostics
        if found.fix is not None
        and _changes_only_user_files(found.fix)
        and _overlap(range_of(_span_in(found, index)), wanted)
    ]


def _edit(fix: Fix) -> lsp.WorkspaceEdit:
    changes: dict[str, list[lsp.TextEdit]] = defaultdict(list)
    for edit in fix.edits:
        uri = uri_of(edit.span.file.name)
        changes[uri].append(lsp.TextEdit(range_of(edit.span), edit.text))
    return lsp.WorkspaceEdit(changes)


def _changes_only_user_files(fix: Fix) -> bool:
    """Whether a fix leaves the standard library alone."""
    return not any(STD in path_of(edit.span.file.name).parents for edit in fix.edits)


def _overlap(one: lsp.Range, other: lsp.Range) -> bool:
    def key(at: lsp.Position) -> tuple[int, int]:
        return at.line, at.character

    return key(one.start) <= key(other.end) and key(other.start) <= key(one.end)
