"""Arguments of an op, merge or connect pattern -> the value of each of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagdsl.ir.nodes import Value
from dagdsl.ops.spec import REQUIRED, SAME_CHANNELS, Param
from dagdsl.sema.arguments import match_arguments
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import evaluate
from dagdsl.sema.scope import Scope
from dagdsl.sema.values import Unknown, fit
from dagdsl.source import Origin
from dagdsl.syntax import ast


def bind_params(
    params: Sequence[Param],
    args: Sequence[ast.Arg],
    what: str,
    at: Origin,
    scope: Scope,
    context: Context,
    *,
    channels: int = 0,
    defaults: Mapping[str, Value] | None = None,
) -> tuple[dict[str, Value | None], bool]:
    """Return the value of each parameter, and whether all are known. Reports errors.

    `defaults` are for parameters that the text leaves out. `channels` is the number of channels of
    the input.
    """
    given = match_arguments(args, (param.name for param in params), what, context)
    values: dict[str, Value | None] = {}
    known = True
    for param in params:
        name = param.name
        value: Value | Unknown | None
        if name in given:
            expr = given[name].value
            value = fit(evaluate(expr, scope, context), param, expr.span, context.sink)
            known = known and not isinstance(value, Unknown)
        elif defaults and name in defaults:
            value = defaults[name]
        elif param.default is SAME_CHANNELS:
            value = channels
        elif param.default is REQUIRED:
            label = f"`{name}` is missing"
            context.sink.error("DG0212", at, f"{what} needs `{name}`", label=label)
            known, value = False, None
        else:
            value = param.default  # type: ignore[assignment]
        values[name] = None if isinstance(value, Unknown) else value
    return values, known
