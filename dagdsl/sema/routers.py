"""`via` clauses -> routers of the IR: what they read, their steps, how they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from dagdsl.diagnostics.sink import did_you_mean, respelling
from dagdsl.ir.element import unchecked
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
from dagdsl.ops.route import ACTIVATIONS, clash_of
from dagdsl.ops.spec import OpSpec, format_shape, same_shape
from dagdsl.sema.arguments import bind_formals, callee_of, pipe_of
from dagdsl.sema.context import Context
from dagdsl.sema.names import resolve
from dagdsl.sema.scope import Scope
from dagdsl.sema.steps import Frames, expand, make_op, op_of
from dagdsl.sema.values import UNKNOWN_SHAPE, PipeValue
from dagdsl.source import Frame, Origin
from dagdsl.syntax import ast

ORDER = "activation, `topk`, `normalise`, `threshold`"

EXAMPLE = "a router is a pipe like `gap |> fc |> sigmoid |> threshold(0.1)`"

_OPEN_BIAS = {"source": 1.0, "target": 1.0, "stage": 2.0}
_EDGE_BY_EDGE = ("sigmoid", "relu_tanh", "hard_concrete")
"""The activations that compute the weight of an edge from its own logit alone."""


@dataclass(frozen=True, slots=True)
class _RouterStep:
    """A step of a router: an op or a block, with the scope of its arguments."""

    expr: ast.Name | ast.Call
    spec: OpSpec | None
    scope: Scope
    frames: Frames


@dataclass(frozen=True, slots=True)
class RouterDecision:
    """How a router turns logits into gates: the fields of `Router` with the same names."""

    activation: Activation = "none"
    topk: int | None = None
    normalise: bool = False
    threshold: float | None = None
    binary: bool = False
    train: GateTraining = "hard"
    dead: Dead = "zero"


_DECISION = tuple(field.name for field in fields(RouterDecision))


@dataclass(frozen=True, slots=True)
class RouterPlan:
    """A router whose edges are not known yet: what it reads, its steps, its decision."""

    name: str
    at: Origin
    reads: Reads
    body: tuple[_RouterStep, ...]
    decision: RouterDecision


def plan_router(
    expr: ast.Expr, scope: Scope, context: Context, frames: Frames
) -> RouterPlan | None:
    """Return the parts of a router, or None for `always` and after an error."""
    parts = _flatten(expr, scope, context, frames)
    if parts is None or (len(parts) == 1 and _is(parts[0], "always")):
        return None
    at = Origin(expr.span, frames)
    reads: Reads = "source"
    explicit = bool(parts) and _role(parts[0]) == "reads"
    if explicit:
        where = _params(parts.pop(0), context).get("where")
        if where is None:
            return None
        reads = where  # type: ignore[assignment]

    decision = _decision(parts, context)
    if decision is None:
        return None
    for part in parts:
        role = _role(part)
        if role in ("decision", "reads", "merge") or (role == "logit" and len(parts) > 1):
            name = str(callee_of(part.expr)[0])
            why = {
                "decision": f"a router ends in {ORDER}, in this order",
                "reads": "it must come first",
                "merge": "a router cannot merge",
                "logit": "it reads nothing, so it must be the only step",
            }[role]
            context.sink.error(
                "DG0602",
                Origin(part.expr.span, part.frames),
                f"`{name}` is not allowed here: {why}",
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
                f"`{callee_of(parts[0].expr)[0]}` reads nothing: remove `reads`",
            )
            return None
        reads = "nothing"
    return RouterPlan(_base_name(expr), at, reads, tuple(parts), decision)


def _decision(parts: list[_RouterStep], context: Context) -> RouterDecision | None:
    """Remove the decision steps from the end of `parts`; return None after an error."""
    activation: Activation = "none"
    fields: dict[str, Any] = {}
    at: Origin | None = None
    if parts and _is(parts[-1], "threshold"):
        at = Origin(parts[-1].expr.span, parts[-1].frames)
        params = _params(parts.pop(), context)
        if None in params.values():
            return None
        fields = {**params, "threshold": float(params["tau"])}  # type: ignore[arg-type]
        del fields["tau"]
    if parts and _is(parts[-1], "normalise"):
        parts.pop()
        fields["normalise"] = True
    if parts and _is(parts[-1], "topk"):
        fields["topk"] = _params(parts.pop(), context)["k"]
        if fields["topk"] is None:
            return None
    if parts and parts[-1].spec is not None and parts[-1].spec.name in ACTIVATIONS:
        activation = parts.pop().spec.name  # type: ignore[union-attr, assignment]
    decision = RouterDecision(activation, **fields)
    clash = clash_of(decision.topk, decision.binary, decision.train, decision.dead)
    if at is not None and clash is not None:
        context.sink.error("DG0605", at, f"the router contradicts itself: {clash}", label="here")
        return None
    return decision


def open_bias(reads: Reads, activation: Activation) -> float | None:
    """Return the default initial value of a router's last bias, with which its edges start open.

    None if a bias does not decide whether edges are open.
    """
    return _OPEN_BIAS.get(reads) if activation in _EDGE_BY_EDGE else None


def make_router(
    plan: RouterPlan,
    name: str,
    vertex: str | None,
    x: Shape,
    groups: Sequence[int],
    context: Context,
) -> Router | None:
    """Return the router of `sum(groups)` edges that reads features of shape `x` at `vertex`.

    Returns None, after an error, if it does not compute one weight per edge.
    """
    count = sum(groups)
    defaults: dict[str, Value] = {"channels": count}
    bias = open_bias(plan.reads, plan.decision.activation)
    if bias is not None:
        defaults["init"] = bias
    weighing = _weighing(plan.body)
    steps: list[Op] = []
    y = x
    for use in plan.body:
        if use is weighing and use.spec is not None:
            args = callee_of(use.expr)[1]
            op = make_op(use.spec, args, use.expr.span, use.scope, y, context, use.frames, defaults)
            steps.append(op)
            y = op.shape
        else:
            more, y = expand(use.expr, use.scope, y, context, use.frames)
            steps.extend(_ops(more, use, context))
    last = plan.body[-1]
    if y not in (UNKNOWN_SHAPE, (count,)):
        context.sink.error(
            "DG0601",
            Origin(last.expr.span, last.frames),
            f"the router gives {format_shape(y)} values for {count} "
            f"edge{'s' * (count != 1)} of `{vertex or 'the stage'}`",
            label="needs one weight per edge",
            help="end it with `fc` without arguments, which has one output per edge",
        )
        return None
    return unchecked(Router, plan.at)(
        name=name,
        reads=plan.reads,
        vertex=vertex,
        steps=tuple(steps),
        groups=tuple(groups),
        **{name: getattr(plan.decision, name) for name in _DECISION},
    )


def _weighing(body: Sequence[_RouterStep]) -> _RouterStep:
    """Return the step that computes the weights: the last one that is not elementwise."""
    for use in reversed(body):
        if use.spec is None or use.spec.shape is not same_shape:
            return use
    return body[-1]


def _flatten(
    expr: ast.Expr, scope: Scope, context: Context, frames: Frames
) -> list[_RouterStep] | None:
    """Return the steps of a router, with nested routers expanded, or None after an error."""
    sink = context.sink
    if context.is_guessed(expr.span):
        return None
    if isinstance(expr, ast.Pipe):
        parts: list[_RouterStep] = []
        for step in expr.steps:
            more = _flatten(step, scope, context, frames)
            if more is None:
                return None
            parts.extend(more)
        return parts
    context.nest(frames, expr.span)
    pipe = pipe_of(expr, scope, context, frames)
    if isinstance(pipe, PipeValue):
        through = (*frames, Frame(f"`{expr.span.text}`", expr.span))
        return _flatten(pipe.expr, pipe.scope, context, through)
    if pipe is not None:
        return None
    if not isinstance(expr, ast.Name | ast.Call):
        sink.error(
            "DG0601", Origin(expr.span, frames), "expected a router", label="this is a value",
            help=EXAMPLE,
        )  # fmt: skip
        return None
    spec = op_of(expr, scope)
    if spec is not None:
        return [] if spec.name == "identity" else [_RouterStep(expr, spec, scope, frames)]
    name, args = callee_of(expr)
    match resolve(name, scope, context):
        case ast.Router() as router, module:
            if id(router) in context.recursive:
                return None
            inside = Scope(module)
            what = f"router `{router.name.name}`"
            bind_formals(router.formals, args, what, expr.span, scope, inside, context)
            through = (*frames, Frame(what, expr.span))
            return _flatten(router.body, inside, context, through)
        case ast.Block(), _:
            return [_RouterStep(expr, None, scope, frames)]
        case None if len(name.path) == 1:
            _unknown_router(name, scope, context)
        case _:
            # `expand` reports everything else, as for the steps of a node.
            expand(expr, scope, UNKNOWN_SHAPE, context, frames)
    return None


def _unknown_router(name: ast.Name, scope: Scope, context: Context) -> None:
    if str(name) in scope.module.lost:
        return  # its declaration is broken, which was reported
    routers = [n for n, item in scope.module.items.items() if isinstance(item, ast.Router)]
    context.sink.error(
        "DG0206",
        name.span,
        f"unknown router `{name}`",
        label="not found",
        help=did_you_mean(str(name), [*routers, *OPS]) or EXAMPLE,
        fix=respelling(str(name), name.span, [*routers, *OPS]),
    )


def _base_name(expr: ast.Expr) -> str:
    return callee_of(expr)[0].path[-1] if isinstance(expr, ast.Name | ast.Call) else "router"


def _role(use: _RouterStep) -> str:
    return use.spec.role if use.spec is not None else "tensor"


def _is(use: _RouterStep, op: str) -> bool:
    return use.spec is not None and use.spec.name == op


def _params(use: _RouterStep, context: Context) -> dict[str, Value | None]:
    assert use.spec is not None
    args = callee_of(use.expr)[1]
    op = make_op(use.spec, args, use.expr.span, use.scope, UNKNOWN_SHAPE, context, use.frames)
    return op.params


def _ops(steps: Sequence[Step], use: _RouterStep, context: Context) -> list[Op]:
    """Return the ops of steps and of blocks among them, in order."""
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
                    "a block with a body cannot be used in a router",
                    label="routers are pipes",
                )
    return flat
