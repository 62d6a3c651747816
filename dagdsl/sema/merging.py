"""The first step of a node's pipe, or the `merge` of a stage -> how incoming edges are merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dagdsl.ir.nodes import Merge, Value
from dagdsl.ops.catalogue import OPS
from dagdsl.sema import steps
from dagdsl.sema.arguments import callee_of
from dagdsl.sema.context import Context
from dagdsl.sema.params import bind_params
from dagdsl.sema.scope import Scope
from dagdsl.sema.values import PipeValue, Unknown, describe
from dagdsl.source import Frame, Origin
from dagdsl.syntax import ast

VERBS: Final[Mapping[Merge, str]] = {
    "sum": "add",
    "mean": "average",
    "max": "take the largest of",
    "concat": "concatenate",
    "mul": "multiply",
    "first_confident": "choose between",
}
"""Merge -> the verb for it in messages about shapes that do not fit."""

ATTRIBUTE: Final = "merge"
"""The attribute of a stage or block body that sets the merge of its `out`."""


@dataclass(frozen=True, slots=True)
class Merging:
    """A merge with its parameters. `known` is False if one of them was wrong."""

    merge: Merge = "sum"
    params: dict[str, Value | None] = field(default_factory=dict)
    known: bool = True


SUM: Final = Merging()


def split_merge(
    body: ast.Expr, scope: Scope, context: Context, frames: tuple[Frame, ...]
) -> tuple[Merging, ast.Expr | None]:
    """Return the merge at the start of a node's pipe (the sum by default), and the rest of it."""
    parts = body.steps if isinstance(body, ast.Pipe) else (body,)
    merging = _merging(parts[0], scope, context, frames)
    if merging is None:
        return SUM, body
    match parts[1:]:
        case ():
            return merging, None
        case (only,):
            return merging, only
        case rest:
            return merging, ast.Pipe(rest, rest[0].span.to(rest[-1].span))


def out_merge(
    body: Sequence[ast.NetStatement], scope: Scope, context: Context, frames: tuple[Frame, ...]
) -> Merging:
    """Return the merge of the `out` of a stage or block body: its `merge`, or the sum."""
    let = next(
        (s for s in body if isinstance(s, ast.Let) and s.name.name == ATTRIBUTE),
        None,
    )
    binding = scope.find(ATTRIBUTE)
    if let is None or binding is None:
        return SUM
    context.use(let.name)
    value = binding.value
    if isinstance(value, PipeValue):
        merging = _merging(value.expr, value.scope, context, frames)
        if merging is not None:
            return merging
    if not isinstance(value, Unknown):
        known = ", ".join(f"`{spec.name}`" for spec in OPS.values() if spec.role == "merge")
        context.sink.error(
            "DG0301",
            let.value.span,
            f"`{ATTRIBUTE}` must be a merge, not {describe(value)}",
            label="not a merge",
            help=f"the merges are {known}",
        )
    return SUM


def _merging(
    expr: ast.Expr, scope: Scope, context: Context, frames: tuple[Frame, ...]
) -> Merging | None:
    """Return the merge that an expression calls, or None."""
    spec = steps.op_of(expr, scope)
    if spec is None or spec.role != "merge" or not isinstance(expr, ast.Name | ast.Call):
        return None
    at = Origin(expr.span, frames)
    args = callee_of(expr)[1]
    params, known = bind_params(spec.params, args, f"`{spec.name}`", at, scope, context)
    return Merging(spec.name, params, known)  # type: ignore[arg-type]
