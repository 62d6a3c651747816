"""Expressions -> values: names, arithmetic, the few functions, and binding of arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from dagdsl.diagnostics.sink import did_you_mean
from dagdsl.ir.nodes import Shape
from dagdsl.ops.catalogue import OPS
from dagdsl.sema.context import Context
from dagdsl.sema.scope import Declared, Module, Scope
from dagdsl.sema.values import UNKNOWN, PipeValue, Unknown, Worth, bounded, convert, describe
from dagdsl.source import Span
from dagdsl.syntax import ast


def divisible(value: float, by: float) -> int:
    """The multiple of `by` nearest to `value`, at least `by`, at most a tenth below `value`.

    The rule for channel counts of MobileNetV2 (arXiv 1801.04381).
    """
    result = max(by, int(value + by / 2) // by * by)
    return int(result if result >= 0.9 * value else result + by)


FUNCTIONS: Final[Mapping[str, tuple[int, Callable[..., float]]]] = MappingProxyType(
    {
        "divisible": (2, divisible),
        "round": (1, lambda x: math.floor(x + 0.5)),
        "floor": (1, math.floor),
        "ceil": (1, math.ceil),
        "min": (2, min),
        "max": (2, max),
    }
)
"""Functions of numbers: name -> number of arguments, function."""

_PORT_ATTRIBUTES: Final[Mapping[str, int]] = {"channels": 0, "height": 1, "width": 2}


def evaluate(expr: ast.Expr, scope: Scope, context: Context) -> Worth:
    """The value of an expression. Reports what is wrong and gives UNKNOWN for it."""
    match expr:
        case ast.Literal():
            return expr.value
        case ast.Name():
            return _name(expr, scope, context)
        case ast.Call():
            return _call(expr, scope, context)
        case ast.ListExpr():
            return [evaluate(item, scope, context) for item in expr.items]
        case ast.Pipe():
            return PipeValue(expr, scope)
        case ast.Unary():
            operand = number(expr.operand, scope, context)
            return operand if isinstance(operand, Unknown) else -operand
        case ast.Binary():
            return _binary(expr, scope, context)


def number(expr: ast.Expr, scope: Scope, context: Context) -> int | float | Unknown:
    """The value of an expression that must be a number."""
    value = evaluate(expr, scope, context)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    result = convert(value, "float", "an operand", expr.span, context.sink)
    return result if isinstance(result, float) else UNKNOWN


def integer(expr: ast.Expr, what: str, scope: Scope, context: Context) -> int | Unknown:
    """The value of an expression that must be a whole number; `what` it is for."""
    value = convert(evaluate(expr, scope, context), "int", what, expr.span, context.sink)
    return value if isinstance(value, int) else UNKNOWN


def resolve(name: ast.Name, scope: Scope, context: Context) -> tuple[Declared, Module] | None:
    """What a name at file level refers to, and the file it stands in; marks it as used."""
    module = scope.module
    for alias in name.path[:-1]:
        if alias not in module.imports:
            return None
        statement, module = module.imports[alias]
        context.use(statement.alias)
        context.used.add(id(statement))
    item = module.items.get(name.path[-1])
    if item is None:
        return None
    context.use(item.name)
    return item, module


def unknown_name(name: ast.Name, scope: Scope, context: Context, extra: Iterable[str] = ()) -> None:
    """Report a name that means nothing, with the closest one that does."""
    known = [*scope.visible(), *extra]
    *spaces, last = name.path
    if spaces:
        module: Module | None = scope.module
        for alias in spaces:
            module = module.imports[alias][1] if module and alias in module.imports else None
        if module is not None:
            message = f"`{'.'.join(spaces)}` has no `{last}`"
            help = did_you_mean(last, module.items)
            context.sink.error("DG0201", name.span, message, label="not found", help=help)
            return
        last = spaces[0]
        known = list(scope.module.imports)
    context.sink.error(
        "DG0201",
        name.span,
        f"unknown name `{last}`",
        label="not found",
        help=did_you_mean(last, known),
    )


def _name(expr: ast.Name, scope: Scope, context: Context) -> Worth:
    head = expr.path[0]
    if head == "in":
        return _port(expr, scope.input, context)
    if len(expr.path) == 1:
        binding = scope.find(head)
        if binding is not None:
            context.use(binding.ident)
            return binding.value
    found = resolve(expr, scope, context)
    if found is None:
        if len(expr.path) == 1 and head in OPS:
            return PipeValue(expr, scope)
        unknown_name(expr, scope, context, [*OPS, *FUNCTIONS])
        return UNKNOWN
    item, module = found
    match item:
        case ast.Param():
            return module.params.get(item.name.name, UNKNOWN)
        case ast.Block() | ast.Router():
            return PipeValue(expr, scope)
        case ast.Net():
            context.sink.error(
                "DG0203", expr.span, f"`{expr}` is a net, not a value", label="a net"
            )
            return UNKNOWN


def _port(expr: ast.Name, shape: Shape | None, context: Context) -> Worth:
    sink = context.sink
    if shape is None:
        sink.error(
            "DG0603",
            expr.span,
            "`in` has a meaning only inside a stage or a block",
            label="there is no `in` here",
        )
        return UNKNOWN
    if len(expr.path) != 2 or expr.path[1] not in _PORT_ATTRIBUTES:
        known = ", ".join(f"`in.{attribute}`" for attribute in _PORT_ATTRIBUTES)
        sink.error("DG0203", expr.span, f"`{expr}` is not a value", help=f"there is {known}")
        return UNKNOWN
    axis = _PORT_ATTRIBUTES[expr.path[1]]
    if not shape:
        return UNKNOWN
    if axis >= len(shape):
        sink.error(
            "DG0402", expr.span, f"flat features have no {expr.path[1]}", label="no such axis"
        )
        return UNKNOWN
    return shape[axis]


def _call(expr: ast.Call, scope: Scope, context: Context) -> Worth:
    name = str(expr.callee)
    if name not in FUNCTIONS or scope.find(name) or name in scope.module.items:
        callee = _name(expr.callee, scope, context)
        if isinstance(callee, PipeValue):
            return PipeValue(expr, scope)
        if not isinstance(callee, Unknown):
            context.sink.error(
                "DG0203",
                expr.callee.span,
                f"`{name}` is {describe(callee)} and cannot be called",
                label="not a function",
            )
        return UNKNOWN
    arity, function = FUNCTIONS[name]
    values = [number(arg.value, scope, context) for arg in expr.args]
    named = next((arg for arg in expr.args if arg.name is not None), None)
    if len(values) != arity or named:
        context.sink.error(
            "DG0213" if len(values) > arity else "DG0212",
            expr.span,
            f"`{name}` takes {arity} argument{'s' * (arity != 1)} without names",
            label=f"{len(values)} given" if not named else "an argument with a name",
        )
        return UNKNOWN
    numbers = [value for value in values if not isinstance(value, Unknown)]
    if len(numbers) != len(values):
        return UNKNOWN
    if name == "divisible" and numbers[1] < 1:
        context.sink.error("DG0304", expr.span, "`divisible` needs a divisor of at least 1")
        return UNKNOWN
    return bounded(function(*numbers), expr.span, context.sink)


def _binary(expr: ast.Binary, scope: Scope, context: Context) -> Worth:
    # A chain `a + b + c ...` leans to the left and may be long: walk it, do not recurse.
    chain: list[ast.Binary] = []
    leaf: ast.Expr = expr
    while isinstance(leaf, ast.Binary):
        chain.append(leaf)
        leaf = leaf.left
    left = number(leaf, scope, context)
    for node in reversed(chain):
        right = number(node.right, scope, context)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            left = UNKNOWN
            continue
        if node.op in ("/", "//") and right == 0:
            context.sink.error("DG0304", node.span, "division by zero", label="divides by zero")
            left = UNKNOWN
            continue
        left = bounded(_ARITHMETIC[node.op](left, right), node.span, context.sink)
    return left


_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
}


def match_arguments(
    args: Iterable[ast.Arg], names: Iterable[str], what: str, context: Context
) -> dict[str, ast.Arg]:
    """Which argument is meant for which name: positional ones in order, then by name.

    Reports unknown names, names given twice and arguments too many.
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
                help=did_you_mean(arg.name, order)
                or (f"it takes {known}" if order else "it takes no arguments"),
            )
            continue
        else:
            name = arg.name
        if name in given:
            context.sink.error(
                "DG0211", arg.span, f"{what} is given `{name}` twice", label="second time"
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
    """Bind the arguments of a call, evaluated in `caller`, to formals in the scope `inside`.

    Defaults are evaluated in `inside`, where earlier formals and `in` are known.
    """
    formals = list(formals)
    given = match_arguments(args, (formal.name.name for formal in formals), what, context)
    for formal in formals:
        name = formal.name.name
        arg = given.get(name)
        value: Worth = UNKNOWN
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


def as_type(value: Worth, type: ast.TypeExpr, what: str, at: Span, context: Context) -> Worth:
    """`value` as the written type: `int`, `float`, `bool`, `str`, or `op` for a pipe."""
    match type.name:
        case "int" | "float" | "bool" | "str":
            return convert(value, type.name, what, at, context.sink)
        case "op":
            if not isinstance(value, PipeValue | Unknown):
                context.sink.error(
                    "DG0301", at, f"{what} must be a pipe of ops, not {describe(value)}"
                )
                return UNKNOWN
            return value
        case _:
            context.sink.error(
                "DG0301",
                type.span,
                f"unknown type `{type.name}`",
                help=did_you_mean(type.name, TYPES) or "a type is one of " + ", ".join(TYPES),
            )
            return UNKNOWN


TYPES: Final = ("int", "float", "bool", "str", "op")
"""The types a param or a formal may have."""
