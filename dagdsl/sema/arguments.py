"""Arguments of a call -> values of formals; calls of values that are pipes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dagdsl.diagnostics.sink import did_you_mean, respelling
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import evaluate
from dagdsl.sema.names import is_function
from dagdsl.sema.scope import Scope
from dagdsl.sema.values import UNKNOWN, EvalValue, PipeValue, Unknown, convert, describe
from dagdsl.source import Frame, Origin, Span
from dagdsl.syntax import ast


def match_arguments(
    args: Iterable[ast.Arg], names: Iterable[str], what: str, context: Context
) -> dict[str, ast.Arg]:
    """Return the argument for each name: positional arguments in order, then named ones.

    Reports unknown names, repeated names and surplus arguments.
    """
    order = list(names)
    given: dict[str, ast.Arg] = {}
    for position, arg in enumerate(args):
        if arg.name is None:
            if position >= len(order):
                takes = f"takes {len(order)} argument{'s' * (len(order) != 1)}"
                context.sink.error(
                    "DG0213", arg.span, f"{what} {takes if order else 'takes no arguments'}"
                )
                break
            name = order[position]
        elif arg.name not in order:
            known = ", ".join(f"`{n}`" for n in order)
            context.sink.error(
                "DG0210",
                arg.span,
                f"{what} has no argument `{arg.name}`",
                label="unknown argument",
                fix=respelling(arg.name, _head(arg.span, arg.name), order),
                help=did_you_mean(arg.name, order)
                or (f"it takes {known}" if order else "it takes no arguments"),
            )
            continue
        else:
            name = arg.name
        if name in given:
            context.sink.error(
                "DG0211", arg.span, f"{what} is given `{name}` twice", label="given again"
            )
            continue
        given[name] = arg
    return given


def bind_formals(
    formals: Iterable[ast.Formal],
    args: Iterable[ast.Arg],
    what: str,
    at: Span,
    caller: Scope,
    inside: Scope,
    context: Context,
) -> None:
    """Bind the arguments of a call to its formals.

    Arguments are evaluated in the scope `caller`. Values are bound in the scope `inside`, where
    defaults are evaluated as well, so that they can use earlier formals and `in`.
    """
    formals = list(formals)
    given = match_arguments(args, (formal.name.name for formal in formals), what, context)
    for formal in formals:
        name = formal.name.name
        arg = given.get(name)
        value: EvalValue = UNKNOWN
        if arg is not None:
            value = evaluate(arg.value, caller, context)
        elif formal.default is not None:
            value = evaluate(formal.default, inside, context)
        else:
            context.sink.error(
                "DG0212",
                at,
                f"{what} needs `{name}`",
                label=f"`{name}` is missing",
            )
        if formal.type is not None and arg is not None:
            value = as_type(value, formal.type, f"`{name}`", arg.value.span, context)
        inside.bind(name, value, formal.name)


def as_type(
    value: EvalValue, type: ast.TypeExpr, what: str, at: Span, context: Context
) -> EvalValue:
    """Return `value` as the declared type, or UNKNOWN after an error.

    The type is `int`, `float`, `bool`, `str`, `list`, or `op` for a pipe.
    """
    match type.name:
        case "int" | "float" | "bool" | "str":
            return convert(value, type.name, what, at, context.sink)
        case "op" | "list":
            right, kind = (PipeValue, "pipe of ops") if type.name == "op" else (list, "list")
            if not isinstance(value, right | Unknown):
                message = f"{what} must be a {kind}, not {describe(value)}"
                context.sink.error("DG0301", at, message)
                return UNKNOWN
            return value
        case _:
            context.sink.error(
                "DG0301",
                type.span,
                f"unknown type `{type.name}`",
                fix=respelling(type.name, _head(type.span, type.name), TYPES),
                help=did_you_mean(type.name, TYPES) or "a type is one of " + ", ".join(TYPES),
            )
            return UNKNOWN


def _head(span: Span, name: str) -> Span:
    """Return the span of `name`, which `span` starts with."""
    return Span(span.file, span.start, span.start + len(name))


TYPES: Final = ("int", "float", "bool", "str", "list", "op")
"""The types of params and formals."""


def callee_of(expr: ast.Name | ast.Call) -> tuple[ast.Name, tuple[ast.Arg, ...]]:
    """Return the name that is called, and the arguments."""
    return (expr, ()) if isinstance(expr, ast.Name) else (expr.callee, expr.args)


def pipe_of(
    expr: ast.Expr, scope: Scope, context: Context, frames: tuple[Frame, ...]
) -> PipeValue | Unknown | None:
    """Return the pipe that a step evaluates to: a local name, a function's result, a list item.

    Returns None if the step is not a value but an op, a block or a router, and UNKNOWN, after an
    error, if the value is not a pipe.
    """
    match expr:
        case ast.Name() | ast.Call():
            name, args = callee_of(expr)
            binding = scope.find(name.path[0]) if len(name.path) == 1 else None
            if binding is not None:
                context.use(binding.ident)
                value = binding.value
                if isinstance(value, PipeValue) and args:
                    return _applied(value, args, expr, scope, context, frames)
            elif isinstance(expr, ast.Call) and is_function(name, scope):
                value, args = evaluate(expr, scope, context), ()
            else:
                return None
        case ast.Index():
            args, value = (), evaluate(expr, scope, context)
        case _:
            return None
    if isinstance(value, PipeValue | Unknown):
        return value
    text = expr.callee if isinstance(expr, ast.Call) and args else expr.span.text
    context.sink.error(
        "DG0203",
        Origin(expr.span, frames),
        f"`{text}` is {describe(value)}"
        + (" and takes no arguments" if args else ", not an op or a block"),
        label="not an op",
    )
    return UNKNOWN


def _applied(
    pipe: PipeValue,
    args: tuple[ast.Arg, ...],
    call: ast.Expr,
    scope: Scope,
    context: Context,
    frames: tuple[Frame, ...],
) -> PipeValue | Unknown:
    """Return a pipe of one step with more arguments; positional ones are appended."""
    if not isinstance(pipe.expr, ast.Name | ast.Call):
        context.sink.error(
            "DG0213",
            Origin(call.span, frames),
            "a pipe of several steps takes no arguments",
            label="has several steps",
            help="declare a block instead: `block name(...) = ...`",
        )
        return UNKNOWN
    callee, given = callee_of(pipe.expr)
    inside = pipe.scope.child()
    more = list(given)
    for arg in args:
        # The names in the argument belong to the scope of the call, not of the pipe.
        # Evaluate it there, and bind the value to a name that cannot be written in a file.
        hidden = f"<{len(more)}>"
        inside.bind(hidden, evaluate(arg.value, scope, context))
        at = arg.value.span
        more.append(ast.Arg(arg.name, ast.Name((hidden,), at), arg.span))
    more.sort(key=lambda arg: arg.name is not None)
    return PipeValue(ast.Call(callee, tuple(more), call.span), inside)
