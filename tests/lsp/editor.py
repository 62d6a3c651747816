"""An editor for tests: opens files in a real server process and sends requests about them.

A position is given by the text around it, with `^` for the cursor: `"-> s^1"`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from dagdsl.source import SourceFile

_TIMEOUT = 60
"""Seconds to wait for diagnostics; generous, because the machine may be busy."""


class Editor:
    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.texts: dict[str, str] = {}
        self._version = 1

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    async def open(self, name: str, text: str) -> list[lsp.Diagnostic]:
        """Open a document, which need not be on disk. Return its diagnostics."""
        self.texts[name] = text
        return await self.open_at(self.uri(name), text)

    async def open_at(self, uri: str, text: str) -> list[lsp.Diagnostic]:
        """Like `open`, for a document with any URI."""
        document = lsp.TextDocumentItem(uri, "dg", 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        return await self._published(uri)

    async def edit(self, name: str, text: str) -> list[lsp.Diagnostic]:
        """Replace the text of a document. Return its diagnostics."""
        self.send(name, text)
        return await self.published(name)

    def send(self, name: str, text: str) -> None:
        """Replace the text of a document without waiting for diagnostics."""
        self.texts[name] = text
        self._version += 1
        self.client.diagnostics.pop(self.uri(name), None)
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(self._version, self.uri(name)),
                [lsp.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def published(self, name: str) -> list[lsp.Diagnostic]:
        """Wait for the next diagnostics of a document and return them."""
        return await self._published(self.uri(name))

    async def _published(self, uri: str) -> list[lsp.Diagnostic]:
        async with asyncio.timeout(_TIMEOUT):
            while uri not in self.client.diagnostics:
                await asyncio.sleep(0.005)
        return list(self.client.diagnostics.pop(uri))

    def close(self, *names: str) -> None:
        """Close the named documents, or all."""
        for name in names or tuple(self.texts):
            document = lsp.TextDocumentIdentifier(self.uri(name))
            self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(document))
            del self.texts[name]

    # Positions

    def at(self, name: str, place: str) -> tuple[lsp.TextDocumentIdentifier, lsp.Position]:
        """Return the document and the position of the `^` in it."""
        before, caret, after = place.partition("^")
        assert caret, f"{place!r} has no cursor `^`"
        text = self.texts[name]
        assert text.count(before + after) == 1, f"{place!r} must occur exactly once"
        return self.place(name, text.index(before + after) + len(before))

    def place(self, name: str, offset: int) -> tuple[lsp.TextDocumentIdentifier, lsp.Position]:
        """Return the document and the position of an offset in it."""
        line, column = SourceFile(name, self.texts[name]).utf16_position(offset)
        return lsp.TextDocumentIdentifier(self.uri(name)), lsp.Position(line, column)

    def text_at(self, uri: str, where: lsp.Range) -> str:
        """Return the text of a range."""
        name = next(name for name in self.texts if self.uri(name) == uri)
        file = SourceFile(name, self.texts[name])
        start = file.utf16_offset(where.start.line, where.start.character)
        return file.text[start : file.utf16_offset(where.end.line, where.end.character)]

    # Requests

    async def hover(self, name: str, place: str) -> str:
        answer = await self.client.text_document_hover_async(lsp.HoverParams(*self.at(name, place)))
        if answer is None:
            return ""
        assert isinstance(answer.contents, lsp.MarkupContent)
        return answer.contents.value

    async def complete(self, name: str, place: str) -> list[str]:
        """Return the labels of the completion items, in order."""
        return [item.label for item in await self.items(name, place)]

    async def items(self, name: str, place: str) -> list[lsp.CompletionItem]:
        return await self._items(*self.at(name, place))

    async def items_at(self, name: str, offset: int) -> list[lsp.CompletionItem]:
        return await self._items(*self.place(name, offset))

    async def _items(
        self, document: lsp.TextDocumentIdentifier, position: lsp.Position
    ) -> list[lsp.CompletionItem]:
        params = lsp.CompletionParams(document, position)
        answer = await self.client.text_document_completion_async(params)
        assert isinstance(answer, list)
        return answer

    async def definition(self, name: str, place: str) -> tuple[str, int] | None:
        """Return the file name and the line, counted from 1."""
        answer = await self.client.text_document_definition_async(
            lsp.DefinitionParams(*self.at(name, place))
        )
        if answer is None:
            return None
        assert isinstance(answer, lsp.Location)
        return Path(answer.uri).name, answer.range.start.line + 1

    async def references(self, name: str, place: str) -> list[tuple[str, int]]:
        """Return the file names and lines, sorted."""
        context = lsp.ReferenceContext(include_declaration=True)
        answer = await self.client.text_document_references_async(
            lsp.ReferenceParams(context, *self.at(name, place))
        )
        return sorted((Path(found.uri).name, found.range.start.line + 1) for found in answer or ())

    async def rename(self, name: str, place: str, new: str) -> dict[str, str]:
        """Return the new texts of the documents that the rename changes."""
        document, position = self.at(name, place)
        answer = await self.client.text_document_rename_async(
            lsp.RenameParams(document, position, new)
        )
        assert answer is not None
        assert answer.changes is not None
        return {
            name: applied(SourceFile(name, text), answer.changes[self.uri(name)])
            for name, text in self.texts.items()
            if self.uri(name) in answer.changes
        }


def applied(file: SourceFile, edits: Iterable[lsp.TextEdit]) -> str:
    """Return the text after some edits."""
    text = file.text
    spans = [
        (
            file.utf16_offset(edit.range.start.line, edit.range.start.character),
            file.utf16_offset(edit.range.end.line, edit.range.end.character),
            edit.new_text,
        )
        for edit in edits
    ]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text
