"""The outline of a file, and the inlay hints that show shapes."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from dagdsl.lsp import description
from dagdsl.lsp.facts import NodeFact
from dagdsl.lsp.index import FileIndex
from dagdsl.lsp.positions import offset, position, range_of
from dagdsl.lsp.symbols import Definition, Kind
from dagdsl.source import Span
from dagdsl.syntax import ast

_ICONS = {
    Kind.IMPORT: lsp.SymbolKind.Module,
    Kind.PARAM: lsp.SymbolKind.Constant,
    Kind.ROUTER: lsp.SymbolKind.Interface,
    Kind.BLOCK: lsp.SymbolKind.Class,
    Kind.NET: lsp.SymbolKind.Class,
    Kind.ARGUMENT: lsp.SymbolKind.Variable,
    Kind.CONSTANT: lsp.SymbolKind.Constant,
    Kind.ATTRIBUTE: lsp.SymbolKind.Property,
    Kind.INPUT: lsp.SymbolKind.Event,
    Kind.NODE: lsp.SymbolKind.Field,
    Kind.STAGE: lsp.SymbolKind.Namespace,
    Kind.OUTPUT: lsp.SymbolKind.Event,
}


def outline(index: FileIndex) -> list[lsp.DocumentSymbol]:
    """Return the declarations of a file as a tree: nodes and stages under their net or stage."""
    top: list[lsp.DocumentSymbol] = []
    by_path: dict[tuple[str, ...], lsp.DocumentSymbol] = {}
    for definition in index.symbols.definitions:
        symbol = _symbol(definition, index)
        parent = by_path.get(definition.path[:-1])
        siblings = top if parent is None else parent.children
        assert isinstance(siblings, list), "made by `_symbol`"
        siblings.append(symbol)
        by_path.setdefault(definition.path, symbol)
    return top


def _symbol(definition: Definition, index: FileIndex) -> lsp.DocumentSymbol:
    whole = definition.statement
    if isinstance(definition.declared, ast.Decl):
        whole = definition.declared.span  # one of several in a statement
    return lsp.DocumentSymbol(
        definition.name,
        _ICONS[definition.kind],
        range_of(whole),
        range_of(definition.span),
        detail=", ".join(description.shapes(index.nodes(definition))),
        children=[],
    )


def hints(index: FileIndex, wanted: lsp.Range) -> list[lsp.InlayHint]:
    """Return a hint with the output shape after each node or stage declared within a range."""
    file = index.source
    start, end = offset(file, wanted.start), offset(file, wanted.end)
    return [
        lsp.InlayHint(
            position(file, at),
            f"→ {text}",
            kind=lsp.InlayHintKind.Type,
            padding_left=True,
        )
        for at, text in _hints(index)
        if start <= at <= end
    ]


def _hints(index: FileIndex) -> Iterator[tuple[int, str]]:
    # The nodes of one statement share a hint.
    statements: dict[int, tuple[Span, list[NodeFact]]] = {}
    for definition in index.symbols.definitions:
        if definition.kind not in (Kind.NODE, Kind.STAGE):
            continue
        # A stage extends below its name: put the hint on the first line.
        span = definition.span if definition.kind is Kind.STAGE else definition.statement
        _, facts = statements.setdefault(span.end, (span, []))
        facts.extend(index.nodes(definition))
    for at, (_, facts) in statements.items():
        shapes = description.shapes(facts)
        if len(shapes) == 1:
            yield at, shapes[0]
