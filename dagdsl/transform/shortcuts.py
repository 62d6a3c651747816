"""Removes the residual shortcut from the body of a node: in the dynamic net, edges replace it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dagdsl.ops.catalogue import OPS
from dagdsl.sema.arguments import callee_of
from dagdsl.sema.scope import Module
from dagdsl.syntax import ast
from dagdsl.transform.rewrite import (
    Replacements,
    Unclear,
    expand,
    is_identity,
    name,
    pipe,
    simplify,
    substitute,
)


def without_shortcut(expr: ast.Expr, module: Module, channels: ast.Expr) -> ast.Expr:
    """Return `expr` without its shortcut if it calls a block that has one, or `expr` itself.

    A shortcut adds the unchanged input of a block to the output of a chain of nodes that reads the
    same input. `channels` is the number of channels of the input and of the result.
    """
    try:
        return _branch(expr, module, channels) or expr
    except Unclear:
        return expr


def _branch(expr: ast.Expr, module: Module, channels: ast.Expr) -> ast.Expr | None:
    expanded = expand(expr, module, channels)
    if expanded is None:
        return None
    body, names = expanded
    if not isinstance(body, tuple):
        return _branch(simplify(substitute(body, names), module), module, channels)
    return _main_path(body, names, module, channels)


def _main_path(
    body: tuple[ast.GraphStatement, ...], names: Replacements, module: Module, channels: ast.Expr
) -> ast.Expr | None:
    """The only path from `in` to `out` apart from shortcuts, as a pipe.

    None if there is no shortcut or more than one such path.
    """
    if not all(isinstance(statement, ast.Node | ast.Wire) for statement in body):
        return None
    own = {n.name.name for s in body if isinstance(s, ast.Node) for n in s.decls}
    names = {dotted: value for dotted, value in names.items() if dotted[0] not in own}
    bodies: dict[str, ast.Expr] = {}
    for node in body:
        if isinstance(node, ast.Node):
            made = _reduced(substitute(node.body, names), module, channels)
            for decl in node.decls:
                if decl.count is not None or _merges(made):
                    return None
                bodies[decl.name.name] = made
    edges = set[tuple[str, str]]()
    for wire in body:
        if isinstance(wire, ast.Wire):
            through = name("identity") if wire.through is None else wire.through
            if wire.via or not is_identity(_reduced(substitute(through, names), module, channels)):
                return None
            edges |= set(_edges(wire))
    for same in [key for key, made in bodies.items() if is_identity(made)]:
        sources = [a for a, b in edges if b == same]
        if len(sources) == 1:
            edges = {(sources[0] if a == same else a, b) for a, b in edges if b != same}
            del bodies[same]
    shortcuts = {(a, b) for a, b in edges if a == "in" and sum(e[1] == b for e in edges) > 1}
    path, left = ["in"], edges - shortcuts
    while len(targets := [b for a, b in left if a == path[-1]]) == 1:
        path += targets
    if not shortcuts or path[-1] != "out" or len(left) != len(path) - 1:
        return None
    return pipe([bodies[vertex] for vertex in path[1:-1]])


def _reduced(expr: ast.Expr, module: Module, channels: ast.Expr) -> ast.Expr:
    """`identity` if the expression reduces to it, as a projection between equal shapes does."""
    expr = simplify(expr, module)
    expanded = expand(expr, module, channels)
    if expanded is None or isinstance(expanded[0], tuple):
        return expr
    inner = _reduced(substitute(expanded[0], expanded[1]), module, channels)
    return inner if is_identity(inner) else expr


def _edges(wire: ast.Wire) -> Iterator[tuple[str, str]]:
    for sources, targets in pairwise(wire.groups):
        for ref in (*sources, *targets):
            if len(ref.path) > 1 or ref.index is not None:
                raise Unclear
        yield from ((a.path[0], b.path[0]) for a in sources for b in targets)


def _merges(body: ast.Expr) -> bool:
    """Whether a node's pipe begins with a merge other than `sum`."""
    first = body.steps[0] if isinstance(body, ast.Pipe) else body
    if not isinstance(first, ast.Name | ast.Call):
        return False
    spec = OPS.get(str(callee_of(first)[0]))
    return spec is not None and spec.role == "merge" and spec.name != "sum"
