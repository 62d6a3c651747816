"""An editor for tests: opens files in a real server process and asks about places in them.

A place is shown by the text around it, with `|` where the cursor is: `"-> s|1"`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from dagdsl.source import SourceFile

_PATIENCE = 60
"""Seconds until an answer is given up: the machine may be busy."""


class Editor:
    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.texts: dict[str, str] = {}
        self._version = 0

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    async def open(self, name: str, text: str) -> list[lsp.Diagnostic]:
        """Open a file that need not be on disk; its diagnostics."""
        self.texts[name] = text
        self._version += 1
        document = lsp.TextDocumentItem(self.uri(name), "dg", self._version, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        return await self.published(name, self._version)

    async def edit(self, name: str, text: str) -> list[lsp.Diagnostic]:
        """Change all of its text; its diagnostics."""
        self.texts[name] = text
        self._version += 1
        version = self._version
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version, self.uri(name)),
                [lsp.TextDocumentContentChangeWholeDocument(text)],
            )
        )
        return await self.published(name, version)

    async def published(self, name: str, version: int | None) -> list[lsp.Diagnostic]:
        """The diagnostics of a version of a file, as soon as they are there."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                params = await self.client.wait_for_notification(
                    lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
                )
                if params.uri == self.uri(name) and params.version == version:
                    return list(params.diagnostics)

    def close(self) -> None:
        for name in self.texts:
            document = lsp.TextDocumentIdentifier(self.uri(name))
            self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(document))
        self.texts.clear()

    # Places

    def at(self, name: str, place: str) -> tuple[lsp.TextDocumentIdentifier, lsp.Position]:
        """The document and the place of the `|` in it."""
        before, bar, after = place.partition("|")
        assert bar, "a place has a cursor"
        text = self.texts[name]
        assert text.count(before + after) == 1, f"{place!r} must be one place"
        offset = text.index(before + after) + len(before)
        line, column = SourceFile(name, text).utf16_position(offset)
        return lsp.TextDocumentIdentifier(self.uri(name)), lsp.Position(line, column)

    def text_at(self, uri: str, where: lsp.Range) -> str:
        """The text of a range."""
        name = next(name for name in self.texts if self.uri(name) == uri)
        file = SourceFile(name, self.texts[name])
        start = file.utf16_offset(where.start.line, where.start.character)
        return file.text[start : file.utf16_offset(where.end.line, where.end.character)]

    # Questions

    async def hover(self, name: str, place: str) -> str:
        answer = await self.client.text_document_hover_async(lsp.HoverParams(*self.at(name, place)))
        if answer is None:
            return ""
        assert isinstance(answer.contents, lsp.MarkupContent)
        return answer.contents.value

    async def complete(self, name: str, place: str) -> list[str]:
        """The labels, in order."""
        return [item.label for item in await self.items(name, place)]

    async def items(self, name: str, place: str) -> list[lsp.CompletionItem]:
        answer = await self.client.text_document_completion_async(
            lsp.CompletionParams(*self.at(name, place))
        )
        assert isinstance(answer, list)
        return answer

    async def definition(self, name: str, place: str) -> tuple[str, int] | None:
        """The last part of the file's path, and the line, from 1."""
        answer = await self.client.text_document_definition_async(
            lsp.DefinitionParams(*self.at(name, place))
        )
        if answer is None:
            return None
        assert isinstance(answer, lsp.Location)
        return Path(answer.uri).name, answer.range.start.line + 1

    async def references(self, name: str, place: str) -> list[tuple[str, int]]:
        """The files and lines, sorted."""
        context = lsp.ReferenceContext(include_declaration=True)
        answer = await self.client.text_document_references_async(
            lsp.ReferenceParams(context, *self.at(name, place))
        )
        return sorted((Path(found.uri).name, found.range.start.line + 1) for found in answer or ())

    async def rename(self, name: str, place: str, new: str) -> dict[str, str]:
        """The texts of the files that change, after the edits."""
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
    """The text after some edits."""
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
