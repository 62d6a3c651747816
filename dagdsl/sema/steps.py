"""A pipe of the text -> steps of the IR: ops with all their parameters, blocks expanded."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from dagdsl.diagnostics.model import Label
from dagdsl.ir.nodes import Block, Op, Shape, Step, Value
from dagdsl.limits import MAX_PARAMETERS, MAX_TENSOR
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import REQUIRED, SAME_CHANNELS, OpSpec, ShapeError, format_shape
from dagdsl.sema import graphs
from dagdsl.sema.context import Context, Exhausted
from dagdsl.sema.expressions import (
    bind_formals,
    evaluate,
    match_arguments,
    resolve,
    unknown_name,
)
from dagdsl.sema.scope import Module, Scope
from dagdsl.sema.values import UNKNOWN_SHAPE, PipeValue, Unknown, describe, fit
from dagdsl.source import Frame, Origin, Span
from dagdsl.syntax import ast

Frames = tuple[Frame, ...]
Steps = tuple[Step, ...]

_NO_PLACE = {
    "merge": "`{}` merges edges: it must be the first step of a node",
    "reads": "`{}` says where a router looks: it has a place only in a router",
    "logit": "`{}` gives weights to edges: it has a place only in a router",
    "decision": "`{}` decides about edges: it has a place only at the end of a router",
}


def expand(
    expr: ast.Expr, scope: Scope, x: Shape, context: Context, frames: Frames = ()
) -> tuple[Steps, Shape]:
    """The steps an expression stands for, applied to an input of shape `x`; and their output."""
    match expr:
        case ast.Pipe():
            steps: list[Step] = []
            for part in expr.steps:
                more, x = expand(part, scope, x, context, frames)
                steps.extend(more)
            return tuple(steps), x
        case ast.Name() | ast.Call():
            return _use(expr, scope, x, context, frames)
        case _:
            context.sink.error(
                "DG0301",
                expr.span,
                "here an op or a block is needed",
                label="this is a value",
                help="ops are written like `conv(24) |> bn |> relu`",
            )
            return (), UNKNOWN_SHAPE


def callee_of(expr: ast.Name | ast.Call) -> tuple[ast.Name, tuple[ast.Arg, ...]]:
    """What is called, and with which arguments."""
    return (expr, ()) if isinstance(expr, ast.Name) else (expr.callee, expr.args)


def op_of(expr: ast.Expr, scope: Scope) -> OpSpec | None:
    """The op of the catalogue an expression calls, if it is one: nearer names come first."""
    if not isinstance(expr, ast.Name | ast.Call):
        return None
    name, _ = callee_of(expr)
    shadowed = scope.find(name.path[0]) or name.path[0] in scope.module.items
    return None if len(name.path) > 1 or shadowed else OPS.get(name.path[0])


def _use(
    expr: ast.Name | ast.Call, scope: Scope, x: Shape, context: Context, frames: Frames
) -> tuple[Steps, Shape]:
    context.nest(frames, expr.span)
    name, args = callee_of(expr)
    nothing = (), UNKNOWN_SHAPE
    spec = op_of(expr, scope)
    if spec is not None:
        if spec.role != "tensor":
            context.sink.error(
                "DG0603",
                Origin(expr.span, frames),
                _NO_PLACE[spec.role].format(spec.name),
                label="not here",
            )
            return nothing
        op = make_op(spec, args, expr.span, scope, x, context, frames)
        return (op,), op.shape

    binding = scope.find(name.path[0]) if len(name.path) == 1 else None
    if binding is not None:
        context.use(binding.ident)
        if isinstance(binding.value, PipeValue) and not args:
            through = (*frames, Frame(f"`{name}`", expr.span))
            return expand(binding.value.expr, binding.value.scope, x, context, through)
        if not isinstance(binding.value, Unknown):
            context.sink.error(
                "DG0203",
                Origin(expr.span, frames),
                f"`{name}` is {describe(binding.value)}"
                + (" and takes no arguments" if args else ", not an op or a block"),
                label="not an op",
            )
        return nothing

    found = resolve(name, scope, context)
    match found:
        case None:
            unknown_name(name, scope, context, OPS)
        case ast.Block() as block, module:
            return _expand_block(block, module, args, expr.span, scope, x, context, frames)
        case item, _:
            kind = type(item).__name__.lower()
            help = "routers stand behind `via`" if kind == "router" else ""
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
    steps: Steps
    if isinstance(block.body, tuple):
        graph, y = graphs.build_body(block.body, inside, x, context, through)
        steps = (graph.at(Origin(block.name.span, through)),)
    else:
        steps, y = expand(block.body, inside, x, context, through)
    return (Block(name=name, steps=steps, shape=y).at(Origin(at, frames)),), y


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
    """An op with all its parameters. `defaults` stand in for what the text leaves out."""
    context.grow(at, ops=1)
    sink, origin = context.sink, Origin(at, frames)
    what = f"`{spec.name}`"
    given = match_arguments(args, (param.name for param in spec.params), what, context)
    params: dict[str, Value | None] = {}
    known = True
    for param in spec.params:
        name = param.name
        value: Value | Unknown | None
        if name in given:
            expr = given[name].value
            value = fit(evaluate(expr, scope, context), param, expr.span, sink)
            known = known and not isinstance(value, Unknown)
        elif defaults and name in defaults:
            value = defaults[name]
        elif param.default is SAME_CHANNELS:
            value = x[0] if x else 0
        elif param.default is REQUIRED:
            sink.error("DG0212", origin, f"{what} needs `{name}`", label=f"`{name}` is missing")
            known, value = False, None
        else:
            value = param.default  # type: ignore[assignment]
        params[name] = None if isinstance(value, Unknown) else value
    y = _output(spec, x, params, origin, context) if known else UNKNOWN_SHAPE
    return Op(op=spec.name, params=params, shape=y).at(origin)


def _output(
    spec: OpSpec, x: Shape, params: Mapping[str, Value | None], origin: Origin, context: Context
) -> Shape:
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
    """The entry of a stage that names none: a convolution to its channels and resolution."""
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
    """The note "`a` gives 24 x 16 x 16" at the place of `a`."""
    return Label(at, f"`{name}` gives {format_shape(shape)}")
