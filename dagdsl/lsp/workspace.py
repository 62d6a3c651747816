"""The files an editor works on: the open documents and the files in its folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dagdsl.diagnostics.sink import Sink
from dagdsl.lsp.index import FileIndex
from dagdsl.lsp.library import Library
from dagdsl.lsp.positions import is_virtual
from dagdsl.lsp.symbols import path_of
from dagdsl.source import SourceFile

_MOST_FILES = 2000
"""The most files searched in the folders, so that opening a whole disk does not hang the server."""


class Workspace:
    """Keeps an index of each open document.

    A file is identified by its name: an absolute path, or a URI for a document that is not on disk.
    """

    def __init__(self) -> None:
        self.library = Library()
        self.folders: list[Path] = []
        self._open: dict[str, FileIndex] = {}

    def set(self, name: str, text: str) -> FileIndex:
        """Set the text of a document that was opened or changed."""
        source = SourceFile(name, text)
        if not is_virtual(name):
            self.library.open(path_of(name), source)
        index = FileIndex(source, self.library, self._open.get(name))
        self._open[name] = index
        return index

    def close(self, name: str) -> None:
        """Close a document: its text on disk is used again."""
        self._open.pop(name, None)
        if not is_virtual(name):
            self.library.close(path_of(name))

    def is_open(self, name: str) -> bool:
        """Whether the editor has the file open."""
        return name in self._open

    def refresh_importers(self, name: str) -> list[str]:
        """Reset the indexes of the open documents that import `name`. Return their names."""
        stale = [
            other
            for other, index in self._open.items()
            if other != name and name in map(_full_name, index.files())
        ]
        for other in stale:
            index = self._open[other]
            self._open[other] = FileIndex(index.source, self.library, index)
        return stale

    def index(self, name: str) -> FileIndex | None:
        """Return the index of a file, or None if the file cannot be read."""
        if name in self._open:
            return self._open[name]
        source = self.library.read(Path(name), Sink())
        return None if source is None else FileIndex(source, self.library)

    def files_with(self, word: str, also: str) -> Iterator[FileIndex]:
        """Yield all files that contain a word. `also` is searched even outside the folders."""
        names = dict.fromkeys([*self._open, also, *self._on_disk()])
        for name in names:
            index = self.index(name)
            if index is not None and word in index.source.text:
                yield index

    def _on_disk(self) -> Iterator[str]:
        count = 0
        for folder in self.folders:
            for parent, folders, files in os.walk(folder):
                folders[:] = sorted(f for f in folders if f[0] not in "._" and f != "node_modules")
                for file in sorted(files):
                    if file.endswith(".dg") and count < _MOST_FILES:
                        count += 1
                        yield str(path_of(str(Path(parent, file))))


def _full_name(name: str) -> str:
    return name if is_virtual(name) else str(path_of(name))
