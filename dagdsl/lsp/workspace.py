"""The files an editor works on: those that are open, and those in its folders."""

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
"""Files of the folders that are looked at; who opens a whole disk gets an answer all the same."""


class Workspace:
    """Files are known by name: an absolute path, or the address of what lies on no disk."""

    def __init__(self) -> None:
        self.library = Library()
        self.folders: list[Path] = []
        self._open: dict[str, FileIndex] = {}

    def set(self, name: str, text: str) -> FileIndex:
        """A file was opened or changed."""
        source = SourceFile(name, text)
        if not is_virtual(name):
            self.library.open(path_of(name), source)
        index = FileIndex(source, self.library, self._open.get(name))
        self._open[name] = index
        return index

    def close(self, name: str) -> None:
        """A file was closed: what is on disk counts again."""
        self._open.pop(name, None)
        if not is_virtual(name):
            self.library.close(path_of(name))

    def is_open(self, name: str) -> bool:
        """Whether the editor has the file open."""
        return name in self._open

    def refresh_importers(self, name: str) -> list[str]:
        """Forget what was worked out about the open files that import one that has changed."""
        stale = [
            other
            for other, index in self._open.items()
            if other != name and name in map(_full, index.files())
        ]
        for other in stale:
            index = self._open[other]
            self._open[other] = FileIndex(index.source, self.library, index)
        return stale

    def index(self, name: str) -> FileIndex | None:
        """What is known about a file; None if it cannot be read."""
        if name in self._open:
            return self._open[name]
        source = self.library.read(Path(name), Sink())
        return None if source is None else FileIndex(source, self.library)

    def files_with(self, word: str, also: str) -> Iterator[FileIndex]:
        """All files in which a word stands; `also` may lie outside of the folders."""
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


def _full(name: str) -> str:
    return name if is_virtual(name) else str(path_of(name))
