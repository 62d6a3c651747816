"""Spans of the front end <-> ranges and addresses of the protocol."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls import uris

from dagdsl.lsp.symbols import path_of
from dagdsl.source import SourceFile, Span


def position(file: SourceFile, offset: int) -> lsp.Position:
    """An offset as an editor counts."""
    return lsp.Position(*file.utf16_position(offset))


def offset(file: SourceFile, position: lsp.Position) -> int:
    """A place in an editor as an offset."""
    return file.utf16_offset(position.line, position.character)


def range_of(span: Span) -> lsp.Range:
    """A span as an editor counts."""
    return lsp.Range(position(span.file, span.start), position(span.file, span.end))


def location(span: Span) -> lsp.Location:
    """A span with the address of its file."""
    return lsp.Location(uri_of(span.file.name), range_of(span))


def uri_of(name: str) -> str:
    """The address of the file that people are shown as `name`."""
    return name if is_virtual(name) else path_of(name).as_uri()


def name_of(uri: str) -> str:
    """The name of the file at an address: its path; the address itself if it lies on no disk."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return uri if path is None else str(path_of(path))


def is_virtual(name: str) -> bool:
    """Whether a text has never been on a disk: an editor calls it `untitled:Untitled-1`."""
    scheme, colon, _ = name.partition(":")
    return bool(colon) and len(scheme) > 1 and scheme.isalnum()
