"""Values of expressions, and their conversion to required types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from dagdsl.diagnostics.sink import Sink
from dagdsl.ir.nodes import Shape, Value
from dagdsl.limits import MAX_INTEGER
from dagdsl.ops.spec import Param, ParamType
from dagdsl.source import Span
from dagdsl.syntax import ast

if TYPE_CHECKING:
    from dagdsl.sema.scope import Scope


class Unknown:
    """The value of an expression with a reported error. Its uses are not reported again."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
UNKNOWN_SHAPE: Final[Shape] = ()
"""The shape of something with a reported error."""


@dataclass(frozen=True, slots=True)
class PipeValue:
    """A pipe of ops that has not been applied yet, with the scope of its names."""

    expr: ast.Expr
    scope: Scope


EvalValue: TypeAlias = Value | list["EvalValue"] | PipeValue | Unknown

_KINDS: Mapping[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "`true` or `false`",
    "str": "a string",
}


def describe(value: EvalValue) -> str:
    """Return a value in the notation of a `.dg` file."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case PipeValue():
            return "a pipe of ops"
        case list():
            return "[" + ", ".join(describe(item) for item in value) + "]"
        case float():
            return f"{value:.10g}"
        case _:
            return str(value)


def convert(value: EvalValue, type: ParamType, what: str, at: Span, sink: Sink) -> Value | Unknown:
    """Return `value` as the given type, or UNKNOWN after an error."""
    if _has_unknown(value):
        return UNKNOWN
    match type, value:
        case "bool", bool():
            return value
        case "str", str():
            return value
        case ("int" | "float", bool()):
            pass
        case "int", int():
            return value
        case "int", float():
            if value.is_integer():
                whole = bounded(value, at, sink)
                return whole if isinstance(whole, Unknown) else int(whole)
            help = (
                f"write `round(...)`, or `divisible(..., 8)` for channels; rounded: {round(value)}"
            )
            sink.error(
                "DG0305",
                at,
                f"{what} must be a whole number, not {describe(value)}",
                label=f"this is {describe(value)}",
                help=help,
            )
            return UNKNOWN
        case "float", int() | float():
            return float(value)
    sink.error(
        "DG0301",
        at,
        f"{what} must be {_KINDS[type]}, not {describe(value)}",
        label=f"expected {_KINDS[type]}",
    )
    return UNKNOWN


def _has_unknown(value: EvalValue) -> bool:
    """Whether a value, or an item of a list, had an error that was reported."""
    if isinstance(value, list):
        return any(map(_has_unknown, value))
    return isinstance(value, Unknown)


def fit(value: EvalValue, param: Param, at: Span, sink: Sink) -> Value | Unknown:
    """Return `value` as an argument for `param`: type, range and choices are checked."""
    what = f"`{param.name}`"
    result = convert(value, param.type, what, at, sink)
    if isinstance(result, Unknown):
        return result
    if param.choices and result not in param.choices:
        choices = ", ".join(f'"{choice}"' for choice in param.choices)
        sink.error(
            "DG0302",
            at,
            f"{what} must be one of {choices}, not {describe(result)}",
            label="not allowed",
        )
        return UNKNOWN
    if isinstance(result, int | float) and not _within(result, param.low, param.high):
        sink.error(
            "DG0302",
            at,
            f"{what} must be {_range(param)}, not {describe(result)}",
            label=f"this is {describe(result)}",
        )
        return UNKNOWN
    return result


def bounded(value: float, at: Span, sink: Sink) -> int | float | Unknown:
    """Return the result of arithmetic, or UNKNOWN after an error if it is too large."""
    # In this order: `isfinite` fails for integers that are too large for a float.
    if abs(value) > MAX_INTEGER or not math.isfinite(value):
        sink.error("DG0304", at, "the result is too large", label="larger than 2^53")
        return UNKNOWN
    return value


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(param: Param) -> str:
    if param.high is None:
        return f"at least {param.low:g}"
    if param.low is None:
        return f"at most {param.high:g}"
    return f"between {param.low:g} and {param.high:g}"
