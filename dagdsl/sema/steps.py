"""Pipe -> steps of the IR: ops with all their parameters, and expanded blocks."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from dagdsl.diagnostics.model import Label
from dagdsl.ir.element import unchecked
from dagdsl.ir.nodes import Block, Op, Shape, Step, Value
from dagdsl.limits import MAX_PARAMETERS, MAX_TENSOR
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import OpSpec, ShapeError, format_shape
from dagdsl.sema.arguments import bind_formals, callee_of, pipe_of
from dagdsl.sema.context import Context, Exhausted
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.names import kind_of, resolve, unknown_name
from dagdsl.sema.params import bind_params
from dagdsl.sema.scope import Module, Scope
from dagdsl.sema.values import UNKNOWN_SHAPE, PipeValue
from dagdsl.source import Frame, Origin, Span
from dagdsl.syntax import ast

Frames = tuple[Frame, ...]
Steps = tuple[Step, ...]

_MISPLACED = {
    "merge": "`{}` merges edges: it must be the first step of a node",
    "reads": "`{}` sets what a router reads: it is only allowed in a router",
    "logit": "`{}` weighs edges: it is only allowed in a router",
    "decision": "`{}` decides which edges are open: it is only allowed at the end of a router",
}


def expand(
    expr: ast.Expr, scope: Scope, x: Shape, context: Context, frames: Frames = ()
) -> tuple[Steps, Shape]:
    """Return the steps of an expression for an input of shape `x`, and their output shape."""
    if context.is_guessed(expr.span):
        return (), UNKNOWN_SHAPE
    match expr:
        case ast.Pipe():
            steps: list[Step] = []
            for part in expr.steps:
                more, x = expand(part, scope, x, context, frames)
                steps.extend(more)
            return tuple(steps), x
        case ast.Name() | ast.Call() | ast.Index():
            return _expand_call(expr, scope, x, context, frames)
        case _:
            context.sink.error(
                "DG0301",
                expr.span,
                "expected an op or a block",
                label="this is a value",
                help="write a pipe of ops, such as `conv(24) |> bn |> relu`",
            )
            return (), UNKNOWN_SHAPE


def op_of(expr: ast.Expr, scope: Scope) -> OpSpec | None:
    """Return the op of the catalogue that an expression calls, or None; local names shadow ops."""
    if not isinstance(expr, ast.Name | ast.Call):
        return None
    name, _ = callee_of(expr)
    head = name.path[0]
    is_function = isinstance(expr, ast.Call) and (head in FUNCTIONS or head == CHOOSE)
    if len(name.path) > 1 or is_function:
        return None
    return None if scope.find(head) or head in scope.module.items else OPS.get(head)


def _expand_call(
    expr: ast.Name | ast.Call | ast.Index,
    scope: Scope,
    x: Shape,
    context: Context,
    frames: Frames,
) -> tuple[Steps, Shape]:
    context.nest(frames, expr.span)
    outer, context.sink.frames = context.sink.frames, frames
    try:
        return _expand_within(expr, scope, x, context, frames)
    finally:
        context.sink.frames = outer


def _expand_within(
    expr: ast.Name | ast.Call | ast.Index,
    scope: Scope,
    x: Shape,
    context: Context,
    frames: Frames,
) -> tuple[Steps, Shape]:
    nothing = (), UNKNOWN_SHAPE
    pipe = pipe_of(expr, scope, context, frames)
    if isinstance(pipe, PipeValue):
        through = (*frames, Frame(f"`{expr.span.text}`", expr.span))
        return expand(pipe.expr, pipe.scope, x, context, through)
    if pipe is not None or isinstance(expr, ast.Index):
        return nothing
    name, args = callee_of(expr)
    spec = op_of(expr, scope)
    if spec is not None:
        if spec.role != "tensor":
            context.sink.error(
                "DG0603",
                Origin(expr.span, frames),
                _MISPLACED[spec.role].format(spec.name),
                label="not here",
            )
            return nothing
        op = make_op(spec, args, expr.span, scope, x, context, frames)
        return (op,), op.shape

    found = resolve(name, scope, context)
    match found:
        case None:
            unknown_name(name, scope, context, OPS)
        case ast.Block() as block, module:
            return _expand_block(block, module, args, expr.span, scope, x, context, frames)
        case item, _:
            kind = kind_of(item)
            help = "routers are used with `via`" if kind == "router" else ""
            context.sink.error(
                "DG0203",
                Origin(expr.span, frames),
                f"`{name}` is a {kind}, not an op or a block",
                label=f"a {kind}",
                help=help,
            )
    return nothing


def _expand_block(
    block: ast.Block,
    module: Module,
    args: tuple[ast.Arg, ...],
    at: Span,
    scope: Scope,
    x: Shape,
    context: Context,
    frames: Frames,
) -> tuple[Steps, Shape]:
    if id(block) in context.recursive:
        return (), UNKNOWN_SHAPE
    context.grow(at, ops=1)
    name = block.name.name
    inside = Scope(module, input=x)
    bind_formals(block.formals, args, f"block `{name}`", at, scope, inside, context)
    through = (*frames, Frame(f"block `{name}`", at))
    context.sink.frames = through  # restored by `_expand_call`
    steps: Steps
    if isinstance(block.body, tuple):
        assert context.build_body is not None, "this context only evaluates expressions"
        graph, y = context.build_body(block.body, inside, x, context, through)
        steps = (graph.at(Origin(block.name.span, through)),)
    else:
        steps, y = expand(block.body, inside, x, context, through)
    return (unchecked(Block, Origin(at, frames))(name=name, steps=steps, shape=y),), y


def make_op(
    spec: OpSpec,
    args: tuple[ast.Arg, ...],
    at: Span,
    scope: Scope,
    x: Shape,
    context: Context,
    frames: Frames = (),
    defaults: Mapping[str, Value] | None = None,
) -> Op:
    """Return an op with all its parameters; `defaults` are for parameters that the text omits."""
    context.grow(at, ops=1)
    origin = Origin(at, frames)
    params, known = bind_params(
        spec.params,
        args,
        f"`{spec.name}`",
        origin,
        scope,
        context,
        channels=x[0] if x else 0,
        defaults=defaults,
    )
    y = output_of(spec, x, params, origin, context) if known else UNKNOWN_SHAPE
    return unchecked(Op, origin)(op=spec.name, params=params, shape=y)


def output_of(
    spec: OpSpec, x: Shape, params: Mapping[str, Value | None], origin: Origin, context: Context
) -> Shape:
    """Return the output shape of an op or merge, or UNKNOWN_SHAPE after an error."""
    sink = context.sink
    if not x and spec.role != "logit":
        return UNKNOWN_SHAPE
    try:
        y = spec.shape(x, params)
    except ShapeError as error:
        sink.error(
            "DG0402",
            origin,
            str(error),
            label=f"gets {format_shape(x)}",
            help=error.help,
        )
        return UNKNOWN_SHAPE
    if prod(y) > MAX_TENSOR:
        sink.error(
            "DG0404",
            origin,
            f"a tensor of {format_shape(y)} is over the limit of {MAX_TENSOR:,} elements",
            label="too large",
        )
        return UNKNOWN_SHAPE
    context.parameters += spec.cost(x, y, params).parameters
    if context.parameters > MAX_PARAMETERS:
        sink.error(
            "DG0405",
            origin,
            f"up to here the net has {context.parameters:,} parameters, over the limit of "
            f"{MAX_PARAMETERS:,}",
            label="too many parameters",
        )
        raise Exhausted
    return y


def default_entry(
    x: Shape,
    channels: int,
    stride: int,
    let: ast.Let,
    scope: Scope,
    context: Context,
    frames: Frames,
) -> tuple[Steps, Shape]:
    """Return the default entry of a stage: a convolution to its channels and resolution."""
    settings: dict[str, Value] = {
        "channels": channels,
        "kernel": 3 if stride > 1 else 1,
        "stride": stride,
    }
    ops: list[Op] = []
    for name in ("conv", "bn", "relu"):
        op = make_op(OPS[name], (), let.span, scope, x, context, frames, settings)
        ops.append(op)
        x = op.shape
    return tuple(ops), x


def merge_note(name: str, shape: Shape, at: Span) -> Label:
    """Return the note "`a` gives 24 x 16 x 16" at the span of `a`."""
    return Label(at, f"`{name}` gives {format_shape(shape)}")
