"""Expressions -> values: names, arithmetic, lists, and calls of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dagdsl.ir.nodes import Shape
from dagdsl.limits import MAX_LIST
from dagdsl.ops.catalogue import OPS
from dagdsl.sema.context import Context
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.names import is_function, mention, resolve, unknown_name
from dagdsl.sema.scope import Scope
from dagdsl.sema.values import UNKNOWN, EvalValue, PipeValue, Unknown, bounded, convert, describe
from dagdsl.source import Span
from dagdsl.syntax import ast
from dagdsl.topology.patterns import PATTERNS

_PORT_ATTRIBUTES: Final[Mapping[str, int]] = {"channels": 0, "height": 1, "width": 2}


def evaluate(expr: ast.Expr, scope: Scope, context: Context) -> EvalValue:
    """Return the value of an expression, or UNKNOWN after an error."""
    if context.is_guessed(expr.span):
        return UNKNOWN
    match expr:
        case ast.Literal(value):
            return UNKNOWN if value is None else value
        case ast.Name():
            return _name(expr, scope, context)
        case ast.Call():
            return _call(expr, scope, context)
        case ast.ListExpr():
            return _list(expr, scope, context)
        case ast.Index():
            return _item(expr, scope, context)
        case ast.Pipe():
            return PipeValue(expr, scope)
        case ast.Unary():
            operand = number(expr.operand, scope, context)
            return operand if isinstance(operand, Unknown) else -operand
        case ast.Binary():
            return _binary(expr, scope, context)


def number(expr: ast.Expr, scope: Scope, context: Context) -> int | float | Unknown:
    """Return the value of an expression that must be a number, or UNKNOWN after an error."""
    value = evaluate(expr, scope, context)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    result = convert(value, "float", "an operand", expr.span, context.sink)
    return result if isinstance(result, float) else UNKNOWN


def integer(expr: ast.Expr, what: str, scope: Scope, context: Context) -> int | Unknown:
    """Return the value of an expression that must be a whole number, or UNKNOWN after an error.

    `what` names the value in messages.
    """
    value = convert(evaluate(expr, scope, context), "int", what, expr.span, context.sink)
    return value if isinstance(value, int) else UNKNOWN


def _name(expr: ast.Name, scope: Scope, context: Context) -> EvalValue:
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
        # Built-in names first: searching installed packages is slow.
        builtin = head in OPS.builtin or head in PATTERNS.builtin
        if len(expr.path) == 1 and (builtin or head in OPS or head in PATTERNS):
            return PipeValue(expr, scope)
        unknown_name(expr, scope, context, [*OPS, *FUNCTIONS, CHOOSE])
        return UNKNOWN
    item, module = found
    match item:
        case ast.Param():
            return module.params.get(item.name.name, UNKNOWN)
        case ast.Block() | ast.Router():
            return PipeValue(expr, scope)
        case ast.Net() | ast.Instance():
            context.sink.error(
                "DG0203", expr.span, f"`{expr}` is a net, not a value", label="a net"
            )
            return UNKNOWN


def _port(expr: ast.Name, shape: Shape | None, context: Context) -> EvalValue:
    sink = context.sink
    if shape is None:
        sink.error(
            "DG0603",
            expr.span,
            "`in` is only defined inside a stage or a block",
            label="there is no `in` here",
        )
        return UNKNOWN
    if len(expr.path) != 2 or expr.path[1] not in _PORT_ATTRIBUTES:
        known = ", ".join(f"`in.{attribute}`" for attribute in _PORT_ATTRIBUTES)
        sink.error(
            "DG0203",
            expr.span,
            f"`{expr}` is not a value",
            help=f"the attributes of `in` are {known}",
        )
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


def _call(expr: ast.Call, scope: Scope, context: Context) -> EvalValue:
    name = str(expr.callee)
    if not is_function(expr.callee, scope):
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
    if any(arg.name is not None for arg in expr.args):
        message = f"`{name}` takes positional arguments only"
        context.sink.error("DG0210", expr.span, message, label="named argument")
        return UNKNOWN
    values = [arg.value for arg in expr.args]
    return (_choose if name == CHOOSE else _compute)(name, values, expr.span, scope, context)


def _compute(
    name: str, args: list[ast.Expr], at: Span, scope: Scope, context: Context
) -> EvalValue:
    """Evaluate a call of a function from the table."""
    function = FUNCTIONS[name]
    if len(args) != len(function.takes):
        takes = f"`{name}` takes {len(function.takes)} argument{'s' * (len(function.takes) != 1)}"
        code = "DG0213" if len(args) > len(function.takes) else "DG0212"
        context.sink.error(code, at, takes, label=f"{len(args)} given")
        return UNKNOWN
    values: list[EvalValue] = []
    for kind, arg in zip(function.takes, args, strict=True):
        if kind == "number":
            values.append(number(arg, scope, context))
            continue
        value = evaluate(arg, scope, context)
        if kind == "list" and not isinstance(value, list | Unknown):
            what = f"`{name}` takes a list, not {describe(value)}"
            context.sink.error("DG0301", arg.span, what, label="not a list")
            value = UNKNOWN
        values.append(value)
    if any(isinstance(value, Unknown) for value in values):
        return UNKNOWN
    try:
        result = function.compute(*values)
    except (ValueError, OverflowError) as error:
        context.sink.error("DG0304", at, str(error))
        return UNKNOWN
    is_number = isinstance(result, int | float) and not isinstance(result, bool)
    return bounded(result, at, context.sink) if is_number else result  # type: ignore[arg-type]


def _choose(name: str, args: list[ast.Expr], at: Span, scope: Scope, context: Context) -> EvalValue:
    """Evaluate `choose(a, x, b, y, z)`: x if a, else y if b, else z; skip the other arms."""
    if len(args) < 3 or len(args) % 2 == 0:
        context.sink.error(
            "DG0212",
            at,
            f"`{name}` takes pairs of a condition and a value, then a default value",
            label=f"{len(args)} given",
            help=f"write `{name}(condition, value, default)`",
        )
        return UNKNOWN
    pairs = args[:-1]
    taken: ast.Expr | None = args[-1]
    for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
        holds = evaluate(condition, scope, context)
        holds = convert(holds, "bool", "a condition", condition.span, context.sink)
        if holds is not False:
            taken = None if isinstance(holds, Unknown) else value
            break
    for arg in args:
        if arg is not taken:
            mention(arg, scope, context)
    return UNKNOWN if taken is None else evaluate(taken, scope, context)


def _list(expr: ast.ListExpr, scope: Scope, context: Context) -> EvalValue:
    if len(expr.items) <= MAX_LIST:
        items = [evaluate(item, scope, context) for item in expr.items]
        if _size(items) <= MAX_LIST:
            return items
    message = f"the list has more than {MAX_LIST:,} items, including those of nested lists"
    context.sink.error("DG0302", expr.span, message, label="too long")
    return UNKNOWN


def _size(value: EvalValue) -> int:
    """Return the number of values in a nested list, counting the lists themselves."""
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1


def _item(expr: ast.Index, scope: Scope, context: Context) -> EvalValue:
    items = evaluate(expr.value, scope, context)
    index = integer(expr.index, "an index", scope, context)
    if isinstance(items, Unknown) or isinstance(index, Unknown):
        return UNKNOWN
    if not isinstance(items, list):
        message = f"only a list can be indexed, not {describe(items)}"
        context.sink.error("DG0301", expr.value.span, message, label="not a list")
        return UNKNOWN
    if not 0 <= index < len(items):
        context.sink.error(
            "DG0302",
            expr.index.span,
            f"index {index} is out of range for {describe(items)}",
            label=f"this is {index}",
            help=f"indices run from 0 to {len(items) - 1}" if items else "the list is empty",
        )
        return UNKNOWN
    return items[index]


def _binary(expr: ast.Binary, scope: Scope, context: Context) -> EvalValue:
    # A chain `a + b + c ...` is left-associative and may be long: iterate instead of recursing.
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
