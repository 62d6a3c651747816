"""Handlers of the protocol's requests and notifications, which delegate to the other modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from dagdsl.diagnostics.sink import Sink
from dagdsl.lsp import completion, description, navigation, outline, problems
from dagdsl.lsp.index import FileIndex
from dagdsl.lsp.positions import location, name_of, offset, position, range_of, uri_of
from dagdsl.lsp.symbols import Definition, Occurrence
from dagdsl.syntax.formatter import format_text

if TYPE_CHECKING:
    from dagdsl.lsp.server import Server

Handler = Callable[..., Any]


# Notifications


def _initialized(ls: Server, params: lsp.InitializedParams) -> None:
    folders = ls.workspace.folders or {}
    roots = [*folders, *([ls.workspace.root_uri] if ls.workspace.root_uri else [])]
    ls.files.folders = list(dict.fromkeys(Path(name_of(uri)) for uri in roots))


def _folders_changed(ls: Server, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    ls.files.folders = [Path(name_of(uri)) for uri in ls.workspace.folders]


def _opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    ls.changed(document.uri, document.text, document.version)


def _changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    document = params.text_document
    ls.changed(document.uri, params.content_changes[-1].text, document.version)


def _closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    ls.closed(params.text_document.uri)


def _changed_on_disk(ls: Server, params: lsp.DidChangeWatchedFilesParams) -> None:
    for change in params.changes:
        ls.recheck_importers(name_of(change.uri))


# Requests


def _hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    index, occurrence = _occurrence(ls, params)
    if index is None or occurrence is None:
        return None
    parts = [
        description.hover(occurrence.target, index),
        description.about_steps(index.facts.steps_at(occurrence)),
    ]
    text = "\n\n".join(part for part in parts if part)
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), range_of(occurrence.span))


def _complete(ls: Server, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
    index = _index(ls, params.text_document)
    if index is None:
        return []
    at = offset(index.source, params.position)
    return completion.complete(index, at, Path(index.source.name).parent)


def _definition(ls: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
    index, occurrence = _occurrence(ls, params)
    span = navigation.definition(occurrence) if index and occurrence else None
    return location(span) if span else None


def _references(ls: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
    _, occurrence = _occurrence(ls, params)
    if occurrence is None or not isinstance(occurrence.target, Definition):
        return []
    declared = params.context.include_declaration
    return [
        location(span)
        for span in navigation.references(ls.files, occurrence.target, declaration=declared)
    ]


def _highlights(ls: Server, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
    index, occurrence = _occurrence(ls, params)
    if index is None or occurrence is None:
        return []
    return [
        lsp.DocumentHighlight(range_of(span))
        for span in navigation.highlights(index, occurrence.target)
    ]


def _prepare_rename(ls: Server, params: lsp.PrepareRenameParams) -> lsp.Range:
    _, occurrence = _occurrence(ls, params)
    try:
        navigation.renameable(occurrence)
    except navigation.CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from error
    assert occurrence is not None, "`renameable` refuses None"
    return range_of(occurrence.span)


def _rename(ls: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
    _, occurrence = _occurrence(ls, params)
    try:
        edits = navigation.rename(ls.files, navigation.renameable(occurrence), params.new_name)
    except navigation.CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from error
    return lsp.WorkspaceEdit(
        changes={
            uri_of(name): [lsp.TextEdit(range_of(span), new) for span, new in changes]
            for name, changes in edits.items()
        }
    )


def _symbols(ls: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    index = _index(ls, params.text_document)
    return outline.outline(index) if index else []


def _hints(ls: Server, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    index = _index(ls, params.text_document)
    return outline.hints(index, params.range) if index else []


def _actions(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    index = _index(ls, params.text_document)
    return problems.fixes(index, params.range) if index else []


def _formatting(ls: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
    index = _index(ls, params.text_document)
    text = format_text(index.source, Sink()) if index else None
    if index is None or text is None or text == index.source.text:
        return None
    file = index.source
    whole = lsp.Range(position(file, 0), position(file, len(file.text)))
    return [lsp.TextEdit(whole, text)]


def _index(ls: Server, document: lsp.TextDocumentIdentifier) -> FileIndex | None:
    return ls.files.index(name_of(document.uri))


class _PositionParams(Protocol):
    """The parameters of any request about a position in a document."""

    @property
    def text_document(self) -> lsp.TextDocumentIdentifier: ...

    @property
    def position(self) -> lsp.Position: ...


def _occurrence(ls: Server, params: _PositionParams) -> tuple[FileIndex | None, Occurrence | None]:
    """Return the index of the requested file and the name at the requested position."""
    index = _index(ls, params.text_document)
    if index is None:
        return None, None
    return index, index.symbols.at(offset(index.source, params.position))


FEATURES: Final[tuple[tuple[str, Handler, Any], ...]] = (
    (lsp.INITIALIZED, _initialized, None),
    (lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, _folders_changed, None),
    (lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, _changed_on_disk, None),
    (lsp.TEXT_DOCUMENT_DID_OPEN, _opened, None),
    (lsp.TEXT_DOCUMENT_DID_CHANGE, _changed, None),
    (lsp.TEXT_DOCUMENT_DID_CLOSE, _closed, None),
    (lsp.TEXT_DOCUMENT_HOVER, _hover, None),
    (
        lsp.TEXT_DOCUMENT_COMPLETION,
        _complete,
        lsp.CompletionOptions(trigger_characters=completion.TRIGGERS),
    ),
    (lsp.TEXT_DOCUMENT_DEFINITION, _definition, None),
    (lsp.TEXT_DOCUMENT_REFERENCES, _references, None),
    (lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, _highlights, None),
    (lsp.TEXT_DOCUMENT_PREPARE_RENAME, _prepare_rename, None),
    (lsp.TEXT_DOCUMENT_RENAME, _rename, lsp.RenameOptions(prepare_provider=True)),
    (lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _symbols, None),
    (lsp.TEXT_DOCUMENT_INLAY_HINT, _hints, None),
    (
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        _actions,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    ),
    (lsp.TEXT_DOCUMENT_FORMATTING, _formatting, None),
)
"""Method, handler and registration options of each feature."""
