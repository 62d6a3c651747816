"""Conversions between spans and names of files, and the protocol's ranges and URIs."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls import uris

from dagdsl.lsp.symbols import path_of
from dagdsl.source import SourceFile, Span


def position(file: SourceFile, offset: int) -> lsp.Position:
    """Convert an offset to a protocol position (line and UTF-16 column, from 0)."""
    return lsp.Position(*file.utf16_position(offset))


def offset(file: SourceFile, position: lsp.Position) -> int:
    """Convert a protocol position to an offset."""
    return file.utf16_offset(position.line, position.character)


def range_of(span: Span) -> lsp.Range:
    """Convert a span to a protocol range."""
    return lsp.Range(position(span.file, span.start), position(span.file, span.end))


def location(span: Span) -> lsp.Location:
    """Convert a span to a protocol location: the URI of its file and a range."""
    return lsp.Location(uri_of(span.file.name), range_of(span))


def uri_of(name: str) -> str:
    """Return the URI of the file with this display name."""
    return name if is_virtual(name) else path_of(name).as_uri()


def name_of(uri: str) -> str:
    """Return the name of the file at a URI: its path, or the URI itself if it is not on disk."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return uri if path is None else str(path_of(path))


def is_virtual(name: str) -> bool:
    """Whether the name is a URI, such as `untitled:Untitled-1` for an unsaved document."""
    scheme, colon, _ = name.partition(":")
    return bool(colon) and len(scheme) > 1 and scheme.isalnum()
