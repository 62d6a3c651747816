"""Rewriting of expressions: substitution, constant folding, inlining of blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from dagdsl.diagnostics.sink import Sink
from dagdsl.sema.arguments import callee_of
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import evaluate
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.names import names_in, resolve
from dagdsl.sema.scope import Module, Scope
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.formatter import same_tree

Dotted = tuple[str, ...]
Replacements = Mapping[Dotted, ast.Expr]
Expanded = tuple[ast.Expr | tuple[ast.GraphStatement, ...], Replacements]
"""The body of a block, and the replacements of the names in it."""

NOWHERE: Final = Span(SourceFile("", ""), 0, 0)
"""The span of generated expressions."""

INDEX: Final = ("index",)
_LATER: Final = range(1, 257)
"""Indices that are tried as representatives of all nodes of an array but the first."""


class Unclear(Exception):
    """The text does not contain enough to rewrite the expression."""


def literal(value: bool | int | float | str) -> ast.Literal:
    """Return a value as an expression."""
    return ast.Literal(value, NOWHERE)


def name(*path: str) -> ast.Name:
    """Return a dotted name as an expression."""
    return ast.Name(path, NOWHERE)


def is_identity(expr: ast.Expr) -> bool:
    """Whether an expression is the op `identity`."""
    return isinstance(expr, ast.Name) and expr.path == ("identity",)


def substitute(expr: ast.Expr, by: Replacements) -> ast.Expr:
    """Return the expression with names replaced. Raises Unclear if a pipe would be called."""
    match expr:
        case ast.Name(path):
            return by.get(path, expr)
        case ast.Call(callee, args, span):
            given = tuple(replace(arg, value=substitute(arg.value, by)) for arg in args)
            made = by.get(callee.path, callee)
            if not isinstance(made, ast.Name | ast.Call):
                raise Unclear
            head, before = callee_of(made)
            # As in the language: added positional arguments follow the existing ones.
            ordered = sorted((*before, *given), key=lambda arg: arg.name is not None)
            return ast.Call(head, tuple(ordered), span)
        case _:
            return _with_parts(expr, lambda part: substitute(part, by))


def simplify(expr: ast.Expr, module: Module) -> ast.Expr:
    """Return the expression with constants folded, and without untaken arms and `identity`."""
    expr = _with_parts(expr, lambda part: simplify(part, module))
    match expr:
        case ast.Call(ast.Name((head,)), args) if head == CHOOSE:
            return _fold_choose(expr, [arg.value for arg in args])
        case ast.Call(ast.Name(("equal",)), (a, b)) if same_tree(a.value, b.value):
            return literal(True)
        case ast.Pipe(steps, span):
            kept = [step for step in steps if not is_identity(step)]
            return pipe(kept, span)
        case ast.Call() | ast.Binary() | ast.Index():
            value = _constant_value(expr, {}, module)
            return expr if value is None else value
    return expr


def pipe(steps: list[ast.Expr], span: Span = NOWHERE) -> ast.Expr:
    """Return steps as one expression, with nested pipes flattened."""
    flat = [s for step in steps for s in (step.steps if isinstance(step, ast.Pipe) else (step,))]
    if not flat:
        return name("identity")
    return flat[0] if len(flat) == 1 else ast.Pipe(tuple(flat), span)


def body_of_first(expr: ast.Expr, module: Module) -> ast.Expr:
    """Return the body of an array for its first node."""
    return simplify(substitute(expr, {INDEX: literal(0)}), module)


def body_of_later(expr: ast.Expr, module: Module) -> ast.Expr:
    """Return the body of an array for its other nodes, with `index` counting these from 0."""

    def shift(part: ast.Expr) -> ast.Expr:
        if INDEX not in {n.path for n in names_in(part)}:
            return part
        if isinstance(part, ast.Name):
            return ast.Binary("+", part, literal(1), NOWHERE)
        values = (_constant_value(part, {"index": place}, module) for place in _LATER)
        value = next(values)
        if value is not None and all(v is not None and same_tree(v, value) for v in values):
            return value
        return _with_parts(part, shift)

    return simplify(shift(expr), module)


def block_of(callee: ast.Name, module: Module) -> tuple[ast.Block, Module] | None:
    """Return the block that a name refers to, and its module."""
    found = resolve(callee, Scope(module), Context(Sink()))
    if found is None or not isinstance(found[0], ast.Block):
        return None
    return found[0], found[1]


def expand(expr: ast.Expr, module: Module, channels: ast.Expr) -> Expanded | None:
    """Return the body of the block that `expr` calls, in terms of the names of `module`.

    `channels` is the number of channels of its input. Returns None if `expr` calls no block.
    Raises Unclear if an argument is missing.
    """
    if not isinstance(expr, ast.Name | ast.Call):
        return None
    callee, args = callee_of(expr)
    found = block_of(callee, module)
    if found is None:
        return None
    block, home = found
    spaces = callee.path[:-1]
    inside: dict[Dotted, ast.Expr] = {("in", "channels"): channels}
    for known in names_in(block.body, *(formal.default for formal in block.formals)):
        if known.path[0] in home.items or known.path[0] in home.imports:
            inside[known.path] = name(*spaces, *known.path)
    given = bind_arguments([formal.name.name for formal in block.formals], args)
    for formal in block.formals:
        value = given.get(formal.name.name)
        if value is None:
            if formal.default is None:
                raise Unclear
            value = substitute(formal.default, inside)
        inside[formal.name.name,] = value
    return block.body, inside


def bind_arguments(formals: list[str], args: tuple[ast.Arg, ...]) -> dict[str, ast.Expr]:
    """Return the arguments of a call by parameter name."""
    positional = [arg.value for arg in args if arg.name is None]
    named = {arg.name: arg.value for arg in args if arg.name is not None}
    return dict(zip(formals, positional, strict=False)) | named


def _with_parts(expr: ast.Expr, change: Callable[[ast.Expr], ast.Expr]) -> ast.Expr:
    match expr:
        case ast.Call(_, args):
            return replace(expr, args=tuple(replace(arg, value=change(arg.value)) for arg in args))
        case ast.ListExpr(items):
            return replace(expr, items=tuple(map(change, items)))
        case ast.Index(value, index):
            return replace(expr, value=change(value), index=change(index))
        case ast.Unary(operand):
            return replace(expr, operand=change(operand))
        case ast.Binary(_, left, right):
            return replace(expr, left=change(left), right=change(right))
        case ast.Pipe(steps, span):
            return pipe([change(step) for step in steps], span)
        case ast.Literal() | ast.Name():
            return expr


def _fold_choose(expr: ast.Call, values: list[ast.Expr]) -> ast.Expr:
    """A `choose` without the arms that are never taken, or the value it always has."""
    undecided: list[ast.Expr] = []
    while len(values) > 1:
        condition, arm, *values = values
        if isinstance(condition, ast.Literal) and condition.value is True:
            values = [arm]
        elif not (isinstance(condition, ast.Literal) and condition.value is False):
            undecided += [condition, arm]
    if not undecided and values:
        return values[0]
    return replace(expr, args=tuple(ast.Arg(None, v, v.span) for v in [*undecided, *values]))


def _constant_value(expr: ast.Expr, known: Mapping[str, int], module: Module) -> ast.Literal | None:
    """The value of an expression, or None if it has names other than `known` and functions."""
    if any(n.path[0] not in (*known, *FUNCTIONS, CHOOSE) for n in names_in(expr)):
        return None
    scope, sink = Scope(module), Sink()
    for key, number in known.items():
        scope.bind(key, number)
    value = evaluate(expr, scope, Context(sink))
    if sink.has_errors or not isinstance(value, bool | int | float | str):
        return None
    return literal(value)
