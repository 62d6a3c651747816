"""Go to definition, find references, and rename."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from dagdsl.diagnostics.model import Severity
from dagdsl.lsp.index import FileIndex
from dagdsl.lsp.symbols import Builtin, Definition, Kind, Occurrence, Symbols, Target, path_of
from dagdsl.lsp.workspace import Workspace
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.reader import STD
from dagdsl.syntax.wording import KEYWORDS, spelling

RenameEdits = dict[str, list[tuple[Span, str]]]
"""Spans and their replacements, by file name."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class CannotRename(Exception):
    """A rename was refused. `str(error)` tells the user why."""


def definition(occurrence: Occurrence) -> Span | None:
    """Return where a name is declared, or the start of the file if it is an import."""
    if isinstance(occurrence.target, Builtin):
        return None
    declared = occurrence.target.declared
    in_path = isinstance(declared, ast.Import) and occurrence.span == declared.path.span
    if in_path or (
        occurrence.target.kind is Kind.IMPORT and occurrence.span == occurrence.target.span
    ):
        imported = occurrence.target.home.imports.get(occurrence.target.name)
        if imported is not None:
            return Span(imported[1].file.source, 0, 0)
    return occurrence.target.span


def references(
    workspace: Workspace, target: Definition, *, declaration: bool = True
) -> Iterator[Span]:
    """Yield every occurrence of a declared name, in all files."""
    home = str(path_of(target.span.file.name))
    for index in workspace.files_with(target.name, home):
        for occurrence in index.symbols.occurrences:
            if not isinstance(occurrence.target, Definition) or occurrence.target.key != target.key:
                continue
            if not _is_path(occurrence) and (
                declaration or occurrence.span.start != target.span.start
            ):
                yield occurrence.span


def highlights(index: FileIndex, target: Target) -> Iterator[Span]:
    """Yield every occurrence of a name in one file."""
    for occurrence in index.symbols.occurrences:
        if isinstance(target, Builtin):
            if occurrence.target == target:
                yield occurrence.span
        elif isinstance(occurrence.target, Definition) and occurrence.target.key == target.key:
            yield occurrence.span


def renameable(occurrence: Occurrence | None) -> Definition:
    """Return the declaration of a name. Raises CannotRename if it cannot be renamed."""
    if occurrence is None:
        raise CannotRename("there is no name here")
    target = occurrence.target
    if isinstance(target, Builtin):
        raise CannotRename(f"`{target.name}` is part of the language")
    if target.kind is Kind.ATTRIBUTE:
        raise CannotRename(f"`{target.name}` is an attribute defined by the language")
    if STD in path_of(target.span.file.name).parents:
        raise CannotRename(f"`{target.name}` belongs to the standard library")
    return target


def rename(workspace: Workspace, target: Definition, name: str) -> RenameEdits:
    """Return the edits that rename a declaration to `name` everywhere.

    Raises CannotRename if `name` is not an identifier, or if the rename would change the meaning of
    any name.
    """
    if not _NAME.fullmatch(name):
        raise CannotRename(
            f"`{name}` is not a valid name: use letters, digits and `_`, and start with no digit"
        )
    if name in map(spelling, KEYWORDS):
        raise CannotRename(f"`{name}` is a keyword")
    edits: RenameEdits = defaultdict(list)
    for span in references(workspace, target):
        edits[span.file.name].append((span, name))
    declared = target.declared
    if isinstance(declared, ast.Import) and declared.alias is None:
        # The name comes from the path, which must not change: add an alias instead.
        end = Span(target.span.file, target.span.end, target.span.end)
        edits[target.span.file.name].append((end, f" as {name}"))
    _verify(workspace, edits, name)
    return edits


def _is_path(occurrence: Occurrence) -> bool:
    """Whether the occurrence is the path of an import, which does not contain the name itself."""
    return occurrence.span.text.startswith('"')


def _verify(workspace: Workspace, edits: Mapping[str, list[tuple[Span, str]]], name: str) -> None:
    """Apply the edits to a copy of the files and check that no name changes its meaning."""
    trial = workspace.library.copy()
    before: dict[str, FileIndex] = {}
    after: dict[str, FileIndex] = {}
    for file, changes in edits.items():
        index = workspace.index(file)
        assert index is not None, "`references` has just read it"
        source = SourceFile(file, _edited(index.source.text, changes))
        trial.open(path_of(file), source)
        before[file], after[file] = index, FileIndex(source, trial)
    for file in edits:
        same = _meanings(before[file], before) == _meanings(after[file], after)
        if not same or _errors(after[file]) > _errors(before[file]):
            raise CannotRename(f"`{name}` is already used for something else")


def _edited(text: str, changes: list[tuple[Span, str]]) -> str:
    for span, new in sorted(changes, key=lambda change: change[0].start, reverse=True):
        text = text[: span.start] + new + text[span.end :]
    return text


def _errors(index: FileIndex) -> int:
    return sum(found.severity is Severity.ERROR for found in index.analysis.diagnostics)


def _meanings(
    index: FileIndex, files: Mapping[str, FileIndex]
) -> list[tuple[Path | str, int | str]]:
    """The meaning of each name of a file. Declarations are ranked: a rename shifts offsets."""
    found: list[tuple[Path | str, int | str]] = []
    for occurrence in index.symbols.occurrences:
        target = occurrence.target
        if isinstance(target, Builtin):
            found.append((target.kind, target.name))
            continue
        if target.kind is Kind.IMPORT and occurrence.span.start < target.statement.end:
            continue  # the import itself: the rename may have added an alias
        file, start = target.key
        home = files.get(str(file))
        found.append((file, start if home is None else _rank(home.symbols, start)))
    return found


def _rank(symbols: Symbols, start: int) -> int:
    starts = sorted(definition.span.start for definition in symbols.definitions)
    return bisect_left(starts, start)
