"""Syntax trees for tests: comparison without spans, and a strategy for all trees."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import strategies as st

from dagdsl.diagnostics.model import Diagnostic
from dagdsl.diagnostics.sink import Sink
from dagdsl.limits import MAX_INTEGER
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.parser import parse
from dagdsl.syntax.wording import KEYWORDS

SOURCE = SourceFile("test.dg", "")
NOWHERE = Span(SOURCE, 0, 0)


def parse_text(text: str) -> tuple[ast.File, list[Diagnostic]]:
    """Return the tree of a text and its diagnostics."""
    sink = Sink()
    tree = parse(SourceFile("test.dg", text), sink)
    return tree, sink.sorted()


def parse_good(text: str) -> ast.File:
    """Return the tree of a text without errors."""
    tree, diagnostics = parse_text(text)
    assert diagnostics == []
    return tree


def bare(tree: Any) -> Any:
    """Return a tree without spans, as nested tuples that can be compared."""
    if isinstance(tree, tuple):
        return tuple(map(bare, tree))
    if not is_dataclass(tree):
        return tree
    parts = {f.name: bare(getattr(tree, f.name)) for f in fields(tree) if f.name not in _PLACES}
    # `1 == 1.0 == True`, but these are different literals: compare types too.
    return (type(tree).__name__, *((key, type(part), part) for key, part in parts.items()))


_PLACES = ("span", "source")


def _tuples(items: st.SearchStrategy[Any], min_size: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(items, min_size=min_size, max_size=3).map(tuple)


def _node(kind: Any, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, *parts, st.just(NOWHERE))


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name.upper() not in KEYWORDS or not name.islower()
)
_paths = _tuples(names, 1)
_literals = _node(
    ast.Literal,
    st.booleans()
    | st.integers(0, MAX_INTEGER)
    | st.floats(0, allow_infinity=False)
    | st.text(st.characters(exclude_characters='"\n', exclude_categories=["Cs"])),
)
_names = _node(ast.Name, _paths | _paths.map(lambda path: ("in", *path)))


def _larger(exprs: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    args = _node(ast.Arg, st.none() | names, exprs)
    return (
        _node(ast.Call, _names, _tuples(args))
        | _node(ast.ListExpr, _tuples(exprs))
        | _node(ast.Index, exprs, exprs)
        | _node(ast.Unary, exprs)
        | _node(ast.Binary, st.sampled_from(["+", "-", "*", "/", "//"]), exprs, exprs)
        | _node(ast.Pipe, _tuples(exprs, 2))
    )


exprs = st.recursive(_literals | _names, _larger, max_leaves=12)
_maybe = st.none() | exprs
_idents = _node(ast.Ident, names)
_types = _node(ast.TypeExpr, names, _tuples(exprs))
_formals = _tuples(_node(ast.Formal, _idents, st.none() | _types, _maybe))
_refs = _node(ast.Ref, _paths, _maybe) | _node(
    ast.Ref, st.sampled_from([("in",), ("out",)]), st.none()
)
_calls = _node(ast.Call, _names, _tuples(_node(ast.Arg, st.none() | names, exprs)))
_graph = _tuples(
    _node(ast.Node, _tuples(_node(ast.Decl, _idents, _maybe), 1), exprs)
    | _node(ast.Let, _idents, exprs)
    | _node(ast.Wire, _tuples(_tuples(_refs, 1), 2), _maybe, _maybe)
    | _node(ast.Connect, _names | _calls, _maybe, _maybe)
)
_net = st.tuples(
    _graph,
    _tuples(
        _node(ast.Input, _idents, _types)
        | _node(ast.Stage, _idents, _maybe, _graph)
        | _node(ast.Output, _idents, st.none() | _tuples(_node(ast.Field, _idents, _refs)))
    ),
).flatmap(lambda parts: st.permutations(parts[0] + parts[1]).map(tuple))
_domains = _node(ast.Choices, _tuples(exprs)) | _node(ast.Range, exprs, exprs)
_items = (
    _node(
        ast.Import,
        _node(ast.Literal, st.from_regex(r"[a-z/.]*", fullmatch=True)),
        st.none() | _idents,
    )
    | _node(ast.Param, _idents, _types, exprs, st.none() | _domains)
    | _node(ast.Router, _idents, _formals, exprs)
    | _node(ast.Block, _idents, _formals, exprs | _graph)
    | _node(ast.Net, _idents, _formals, _net)
    | _node(ast.Instance, _idents, _calls | _names)
)
files = st.builds(ast.File, st.just(SOURCE), st.just(1), _tuples(_items), st.just(NOWHERE))
