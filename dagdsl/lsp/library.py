"""The files as the editor sees them: an open document takes precedence over the file on disk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from dagdsl.diagnostics.model import Diagnostic
from dagdsl.diagnostics.sink import Sink
from dagdsl.sema.modules import Files
from dagdsl.source import SourceFile
from dagdsl.syntax import ast
from dagdsl.syntax.parser import parse
from dagdsl.syntax.reader import read

_TREES = 256
"""The number of syntax trees kept: imports and the files of a workspace rarely change."""


class Library:
    """The texts of all files and their syntax trees, each parsed once."""

    def __init__(self) -> None:
        self._open: dict[Path, SourceFile] = {}
        self._parsed = lru_cache(_TREES)(_parse)
        self.files = Files(self.read, self.parse, self.exists)

    def copy(self) -> Library:
        """Return a library with the same texts, in which edits can be tried out."""
        other = Library()
        other._open.update(self._open)
        return other

    def open(self, path: Path, source: SourceFile) -> None:
        """Let the text of an open document stand for the file at `path`."""
        self._open[path] = source

    def close(self, path: Path) -> None:
        """Read the file at `path` from disk again."""
        self._open.pop(path, None)

    def read(self, path: Path, sink: Sink, name: str | None = None) -> SourceFile | None:
        """Like `dagdsl.syntax.reader.read`, but prefers open documents, saved or not."""
        source = self._open.get(path.resolve())
        if source is None:
            return read(path, sink, name)
        return source if name is None else SourceFile(name, source.text)

    def exists(self, path: Path) -> bool:
        """Whether there is an open document or a file at `path`."""
        return path.resolve() in self._open or path.is_file()

    def parse(self, source: SourceFile, sink: Sink) -> ast.File:
        """Like `dagdsl.syntax.parser.parse`, but parses each text only once."""
        tree, found = self._parsed(source)
        sink.extend(found)
        return tree


def _parse(source: SourceFile) -> tuple[ast.File, list[Diagnostic]]:
    sink = Sink()
    return parse(source, sink), sink.sorted()
