"""What stands behind `via` -> routers of the IR: where they look, their steps, how they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagdsl.diagnostics.sink import did_you_mean
from dagdsl.ir.nodes import (
    Activation,
    Block,
    Dead,
    GateTraining,
    Graph,
    Op,
    Reads,
    Router,
    Shape,
    Step,
    Value,
)
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.route import ACTIVATIONS
from dagdsl.ops.spec import OpSpec, format_shape
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import bind_formals, resolve
from dagdsl.sema.scope import Scope
from dagdsl.sema.steps import Frames, callee_of, expand, make_op, op_of
from dagdsl.sema.values import UNKNOWN_SHAPE, PipeValue
from dagdsl.source import Frame, Origin
from dagdsl.syntax import ast

EXAMPLE = "a router is a pipe like `gap |> fc |> sigmoid |> threshold(0.1)`"

OPEN_BIAS = {"source": 1.0, "target": 1.0, "stage": 2.0}
"""Start of the last bias of a router, so that its edges start open (see docs/method.md)."""


@dataclass(frozen=True, slots=True)
class _Use:
    """One step of a router: an op or block, with the scope its arguments belong to."""

    expr: ast.Name | ast.Call
    spec: OpSpec | None
    scope: Scope
    frames: Frames


@dataclass(frozen=True, slots=True)
class Plan:
    """A router before it is known which edges it weighs: what it reads, computes, decides."""

    name: str
    at: Origin
    reads: Reads
    body: tuple[_Use, ...]
    activation: Activation
    normalise: bool
    threshold: float | None
    train: GateTraining
    dead: Dead


def plan_router(expr: ast.Expr, scope: Scope, context: Context, frames: Frames) -> Plan | None:
    """Take a router apart. Reports what is wrong with it and gives None."""
    parts = _flatten(expr, scope, context, frames)
    if parts is None:
        return None
    at = Origin(expr.span, frames)
    reads: Reads = "source"
    explicit = bool(parts) and _role(parts[0]) == "reads"
    if explicit:
        where = _params(parts.pop(0), context).get("where")
        if where is None:
            return None
        reads = where  # type: ignore[assignment]

    threshold: float | None = None
    train: GateTraining = "hard"
    dead: Dead = "zero"
    if parts and _is(parts[-1], "threshold"):
        params = _params(parts.pop(), context)
        if params.get("tau") is None:
            return None
        threshold = float(params["tau"])  # type: ignore[arg-type]
        train, dead = params["train"], params["dead"]  # type: ignore[assignment]
    normalise = bool(parts) and _is(parts[-1], "normalise")
    if normalise:
        parts.pop()
    activation: Activation = "none"
    if parts and parts[-1].spec is not None and parts[-1].spec.name in ACTIVATIONS:
        activation = parts.pop().spec.name  # type: ignore[union-attr, assignment]

    for part in parts:
        role = _role(part)
        if role in ("decision", "reads", "merge") or (role == "logit" and len(parts) > 1):
            name = str(callee_of(part.expr)[0])
            why = {
                "decision": "the order is activation, `normalise`, `threshold`, at the end",
                "reads": "it must come first",
                "merge": "routers merge nothing",
                "logit": "it reads nothing: no other step goes with it",
            }[role]
            context.sink.error(
                "DG0602", Origin(part.expr.span, part.frames), f"`{name}` has no place here: {why}"
            )
            return None
    if not parts:
        context.sink.error(
            "DG0601", at, "this router computes no weights", label="no weights", help=EXAMPLE
        )
        return None
    if _role(parts[0]) == "logit":
        if explicit:
            context.sink.error(
                "DG0602",
                Origin(parts[0].expr.span, parts[0].frames),
                f"`{callee_of(parts[0].expr)[0]}` reads nothing: leave out `reads`",
            )
            return None
        reads = "nothing"
    return Plan(
        _base_name(expr), at, reads, tuple(parts), activation, normalise, threshold, train, dead
    )


def make_router(
    plan: Plan,
    name: str,
    vertex: str | None,
    x: Shape,
    groups: Sequence[int],
    context: Context,
) -> Router | None:
    """The router that weighs `sum(groups)` edges, reading features of shape `x` at `vertex`.

    Reports and gives None if it does not compute one weight for each of them.
    """
    count = sum(groups)
    *body, last = plan.body
    steps: list[Op] = []
    for use in body:
        more, x = expand(use.expr, use.scope, x, context, use.frames)
        steps.extend(_ops(more, use, context))
    if last.spec is not None:
        defaults: dict[str, Value] = {"channels": count}
        if plan.reads in OPEN_BIAS and plan.activation == "sigmoid":
            defaults["init"] = OPEN_BIAS[plan.reads]
        op = make_op(
            last.spec,
            callee_of(last.expr)[1],
            last.expr.span,
            last.scope,
            x,
            context,
            last.frames,
            defaults,
        )
        steps.append(op)
        y = op.shape
    else:
        more, y = expand(last.expr, last.scope, x, context, last.frames)
        steps.extend(_ops(more, last, context))
    if y not in (UNKNOWN_SHAPE, (count,)):
        context.sink.error(
            "DG0601",
            Origin(last.expr.span, last.frames),
            f"the router gives {format_shape(y)} values for {count} "
            f"edge{'s' * (count != 1)} of `{vertex or 'the stage'}`",
            label="one weight an edge is needed",
            help="end it in `fc` without a number: it takes as many outputs as there are edges",
        )
        return None
    return Router(
        name=name,
        reads=plan.reads,
        vertex=vertex,
        steps=tuple(steps),
        groups=tuple(groups),
        activation=plan.activation,
        normalise=plan.normalise,
        threshold=plan.threshold,
        train=plan.train,
        dead=plan.dead,
    ).at(plan.at)


def _flatten(expr: ast.Expr, scope: Scope, context: Context, frames: Frames) -> list[_Use] | None:
    """The steps of a router, with the routers it is made from opened; None after an error."""
    sink = context.sink
    if isinstance(expr, ast.Pipe):
        parts: list[_Use] = []
        for step in expr.steps:
            more = _flatten(step, scope, context, frames)
            if more is None:
                return None
            parts.extend(more)
        return parts
    if not isinstance(expr, ast.Name | ast.Call):
        sink.error(
            "DG0601", Origin(expr.span, frames), "here a router is needed", label="a value",
            help=EXAMPLE,
        )  # fmt: skip
        return None
    context.nest(frames, expr.span)
    spec = op_of(expr, scope)
    if spec is not None:
        return [_Use(expr, spec, scope, frames)]
    name, args = callee_of(expr)
    binding = scope.find(name.path[0]) if len(name.path) == 1 else None
    if binding is not None and isinstance(binding.value, PipeValue) and not args:
        context.use(binding.ident)
        through = (*frames, Frame(f"`{name}`", expr.span))
        return _flatten(binding.value.expr, binding.value.scope, context, through)
    found = None if binding is not None else resolve(name, scope, context)
    match found:
        case ast.Router() as router, module:
            if id(router) in context.recursive:
                return None
            inside = Scope(module)
            what = f"router `{router.name.name}`"
            bind_formals(router.formals, args, what, expr.span, scope, inside, context)
            through = (*frames, Frame(what, expr.span))
            return _flatten(router.body, inside, context, through)
        case ast.Block(), _:
            return [_Use(expr, None, scope, frames)]
        case None if binding is None and len(name.path) == 1:
            _unknown_router(name, scope, context)
        case _:
            # Everything else is reported as it is for the steps of a node.
            expand(expr, scope, UNKNOWN_SHAPE, context, frames)
    return None


def _unknown_router(name: ast.Name, scope: Scope, context: Context) -> None:
    routers = [n for n, item in scope.module.items.items() if isinstance(item, ast.Router)]
    context.sink.error(
        "DG0206",
        name.span,
        f"unknown router `{name}`",
        label="not found",
        help=did_you_mean(str(name), [*routers, *OPS]) or EXAMPLE,
    )


def _base_name(expr: ast.Expr) -> str:
    return callee_of(expr)[0].path[-1] if isinstance(expr, ast.Name | ast.Call) else "router"


def _role(use: _Use) -> str:
    return use.spec.role if use.spec is not None else "tensor"


def _is(use: _Use, op: str) -> bool:
    return use.spec is not None and use.spec.name == op


def _params(use: _Use, context: Context) -> dict[str, Value | None]:
    assert use.spec is not None
    args = callee_of(use.expr)[1]
    op = make_op(use.spec, args, use.expr.span, use.scope, UNKNOWN_SHAPE, context, use.frames)
    return op.params


def _ops(steps: Sequence[Step], use: _Use, context: Context) -> list[Op]:
    """The ops of steps that are blocks made of pipes, in order."""
    flat: list[Op] = []
    for step in steps:
        match step:
            case Op():
                flat.append(step)
            case Block():
                flat.extend(_ops(step.steps, use, context))
            case Graph():
                context.sink.error(
                    "DG0602",
                    Origin(use.expr.span, use.frames),
                    "a block with a body has no place in a router",
                    label="routers are pipes",
                )
    return flat
