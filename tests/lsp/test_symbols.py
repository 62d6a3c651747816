"""The symbol table, compared with elaboration, and on incomplete files; without a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from dagdsl import frontend
from dagdsl.diagnostics.sink import Sink
from dagdsl.lsp import completion, description, outline, problems
from dagdsl.lsp.index import FileIndex
from dagdsl.lsp.library import Library
from dagdsl.lsp.resolver import symbols_of
from dagdsl.lsp.symbols import Builtin, BuiltinKind, Definition, Kind
from dagdsl.lsp.workspace import Workspace
from dagdsl.sema.context import Context
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.scope import Module
from dagdsl.source import SourceFile
from dagdsl.syntax import ast
from dagdsl.syntax.reader import STD
from tests.lsp.texts import NET

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples").rglob("*.dg"), *STD.rglob("*.dg")])
EVERYTHING = lsp.Range(lsp.Position(0, 0), lsp.Position(10_000, 0))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_references_agree_with_elaboration(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A declaration has a reference if and only if elaboration marks it as used."""
    seen: list[tuple[Module, Context]] = []
    monkeypatch.setattr(frontend, "report_unused", lambda *args: seen.append(args))
    analysis = frontend.analyse_file(path)
    assert not analysis.has_errors
    if not analysis.nets:
        pytest.skip("a library is not elaborated as a whole")
    ((module, context),) = seen
    symbols = symbols_of(module)
    used = {
        occurrence.target.key
        for occurrence in symbols.occurrences
        if isinstance(occurrence.target, Definition)
        and occurrence.span.start != occurrence.target.span.start
    }
    needed = context.used | context.mentioned
    for definition in symbols.definitions:
        declared = definition.declared
        match definition.kind, declared:
            case Kind.IMPORT, ast.Import():
                # The path of the import is an occurrence as well.
                count = sum(one.target is definition for one in symbols.occurrences)
                expected = id(declared) in needed
                found = count > 1 + (declared.alias is not None)
            case (
                (Kind.PARAM | Kind.ROUTER | Kind.BLOCK | Kind.ARGUMENT | Kind.CONSTANT),
                (ast.Param() | ast.Router() | ast.Block() | ast.Formal() | ast.Let()),
            ):
                expected = id(declared.name) in needed
                found = definition.key in used
            case _:
                continue
        assert found == expected, definition


def _unfinished_files() -> Iterator[str]:
    """Yield a file as it is being typed, and with a piece missing."""
    for end in range(0, len(NET), 7):
        yield NET[:end]
        yield NET[:end] + NET[end + 9 :]


def test_unfinished_files_get_answers() -> None:
    workspace = Workspace()
    for text in _unfinished_files():
        index = workspace.set("/nowhere/net.dg", text)
        problems.problems(index)
        outline.outline(index)
        outline.hints(index, EVERYTHING)
        problems.fixes(index, EVERYTHING)
        middle = len(text) // 2
        for offset in (middle, len(text)):
            completion.complete(index, offset, Path("/nowhere"))
        for occurrence in index.symbols.occurrences[::5]:
            assert description.hover(occurrence.target, index)


def test_names_and_nodes_of_all_files_are_described() -> None:
    for path in FILES:
        index = FileIndex(SourceFile(str(path), path.read_text()), Library())
        for occurrence in index.symbols.occurrences:
            assert description.hover(occurrence.target, index)


def test_all_builtins_are_described() -> None:
    index = FileIndex(SourceFile("net.dg", NET), Library())
    for offset in (NET.index("relu6\n"), NET.index("12\n"), NET.index("ir\n    node d") + 2):
        for item in completion.complete(index, offset, ROOT):
            assert isinstance(item.detail, str)
    for name in (*FUNCTIONS, CHOOSE):
        found = Builtin(BuiltinKind.FUNCTION, name)
        assert description.documentation(found), f"`{name}` lacks a description"


def test_names_are_found_where_the_tree_is_broken() -> None:
    sink = Sink()
    library = Library()
    index = FileIndex(SourceFile("net.dg", NET.replace("stage s1 {", "stage s1 {{")), library)
    library.parse(index.source, sink)
    assert sink.has_errors
    assert {"stem", "n", "gate", "width"} <= {found.name for found in index.symbols.definitions}
