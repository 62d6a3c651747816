"""Statements -> graphs of the IR, for nets, stages and block bodies.

Vertices are elaborated in topological order, so that the input shape of every pipe is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from dagdsl.ir.element import unchecked
from dagdsl.ir.nodes import Block, Edge, Graph, Node, Shape, Step
from dagdsl.limits import MAX_TENSOR
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.merge import merge_shape
from dagdsl.ops.spec import format_shape
from dagdsl.sema import steps
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import integer
from dagdsl.sema.flow import check_flow
from dagdsl.sema.gating import Gating
from dagdsl.sema.merging import SUM, VERBS, Merging, out_merge, split_merge
from dagdsl.sema.scope import Scope
from dagdsl.sema.values import UNKNOWN_SHAPE, EvalValue, PipeValue, Unknown, convert
from dagdsl.sema.vertices import Link, Vertex, Wiring
from dagdsl.sema.wiring import Wirer
from dagdsl.source import Frame, Origin
from dagdsl.syntax import ast

Frames = tuple[Frame, ...]

STAGE_ATTRIBUTES = ("channels", "stride", "entry")
"""The attributes set with `NAME = value` in a stage. Other names are local constants."""


def build_body(
    body: Sequence[ast.GraphStatement], scope: Scope, x: Shape, context: Context, frames: Frames
) -> tuple[Graph, Shape]:
    """Return the graph of a block body applied to an input of shape `x`, and its output shape."""
    wirer = Wirer("the block", "block", scope, context, frames)
    wirer.lets(body)
    at = Origin(frames[-1].span, frames[:-1])
    wiring = wirer.wire(body, at)
    out = out_merge(body, scope, context, frames)
    with context.inner_graph():
        graph, y = GraphBuilder(wiring, scope, context, frames, out).build(x)
    check_flow(graph, wiring, "the block", context, at)
    return graph, y


@dataclass(slots=True)
class GraphBuilder:
    """Turns the wiring of a graph into IR."""

    wiring: Wiring
    scope: Scope
    context: Context
    frames: Frames
    out: Merging = SUM
    """The merge of the port `out`."""
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    carried: dict[tuple[str, str], Shape] = field(default_factory=dict)
    """(source, target) -> the shape that the edge carries."""
    _misfits: set[str] = field(default_factory=set)

    def build(self, x: Shape, at: Origin | None = None) -> tuple[Graph, Shape]:
        """Return the graph, from `at`, and the shape of its `out` (unknown for a net)."""
        links_into: dict[str, list[Link]] = defaultdict(list)
        for link in self.wiring.links:
            links_into[link.target.name].append(link)
        bodies: dict[tuple[str, str], tuple[Step, ...]] = {}
        for vertex in self.wiring.vertices:
            for link in links_into[vertex.name]:
                bodies[link.source.name, vertex.name] = self._carry(link)
            node = self._node(vertex, links_into[vertex.name], x)
            self.shapes[vertex.name] = node.shape
            self.nodes.append(node)
        built, gates = Gating(
            self.wiring,
            self.scope,
            self.context,
            self.frames,
            self.nodes,
            self.shapes,
            self.carried,
            links_into,
        ).build()
        self.edges = [
            unchecked(Edge, link.at)(
                source=link.source.name,
                target=link.target.name,
                gate=gates.get((link.source.name, link.target.name)),
                steps=bodies.get((link.source.name, link.target.name), ()),
            )
            for link in self.wiring.links
        ]
        graph = unchecked(Graph, at)(
            nodes=tuple(self.nodes), edges=tuple(self.edges), routers=tuple(built)
        )
        return graph, self.nodes[-1].shape if self.nodes else UNKNOWN_SHAPE

    # Nodes

    def _carry(self, link: Link) -> tuple[Step, ...]:
        """Return the steps of an edge, and store the shape it carries."""
        shape = self.shapes.get(link.source.name, UNKNOWN_SHAPE)
        body: tuple[Step, ...] = ()
        if link.through is not None:
            body, shape = steps.expand(
                link.through, self.scope, shape, self.context, link.at.frames
            )
        self.carried[link.source.name, link.target.name] = shape
        return body

    def _node(self, vertex: Vertex, links: Sequence[Link], x: Shape) -> Node:
        if vertex.kind == "in":
            if isinstance(vertex.declared, ast.Input):
                x = self._input(vertex.declared)
            return unchecked(Node, vertex.at)(kind="in", name=vertex.name, shape=x)
        merging = self.out if vertex.kind == "out" else SUM
        body: tuple[Step, ...] = ()
        rest: ast.Expr | None = None
        if isinstance(vertex.declared, ast.Node):
            declared = vertex.declared.body
            merging, rest = split_merge(declared, self.scope, self.context, self.frames)
        y = self._merge(vertex, links, merging)
        match vertex.declared:
            case ast.Node() if rest is not None:
                scope = self.scope
                if vertex.index is not None:
                    scope = scope.child()
                    scope.bind("index", vertex.index)
                body, y = steps.expand(rest, scope, y, self.context, self.frames)
            case ast.Stage() as stage:
                body, y = self._stage(stage, vertex, y)
        return unchecked(Node, vertex.at)(
            kind=vertex.kind,
            name=vertex.name,
            merge=merging.merge,
            merge_params=merging.params,
            steps=body,
            shape=y,
        )

    def _input(self, declared: ast.Input) -> Shape:
        """Return the shape of a declared input."""
        sink, type = self.context.sink, declared.type
        if type.name != "f32" or len(type.dims) not in (1, 3):
            sink.error(
                "DG0301",
                type.span,
                "an input must be `f32[channels, height, width]` or `f32[features]`",
                label="not an input type",
            )
            return UNKNOWN_SHAPE
        dims = [integer(d, "a dimension", self.scope, self.context) for d in type.dims]
        shape = tuple(d for d in dims if not isinstance(d, Unknown))
        if len(shape) != len(dims):
            return UNKNOWN_SHAPE
        for dim, expr in zip(shape, type.dims, strict=True):
            if dim < 1:
                sink.error("DG0302", expr.span, f"a dimension must be at least 1, not {dim}")
                return UNKNOWN_SHAPE
        if prod(shape) > MAX_TENSOR:
            sink.error(
                "DG0404",
                type.span,
                f"a tensor of {format_shape(shape)} is over the limit of {MAX_TENSOR:,} elements",
                label="too large",
            )
            return UNKNOWN_SHAPE
        return shape

    def _merge(self, vertex: Vertex, links: Sequence[Link], merging: Merging) -> Shape:
        """Return the shape of the merged incoming edges of a node."""
        merge, spec = merging.merge, OPS[merging.merge]
        arriving = [(link, self.carried[link.source.name, vertex.name]) for link in links]
        known = [(link, shape) for link, shape in arriving if shape]
        if not known or (len(known) < len(arriving) and merge != "sum"):
            return UNKNOWN_SHAPE
        shape = merge_shape(merge, [shape for _, shape in known])
        if not isinstance(shape, int):
            if not merging.known:
                return shape
            return steps.output_of(spec, shape, merging.params, vertex.at, self.context)
        link, wrong = known[shape]
        other, right = known[0 if shape else 1]
        # A node with a wrong shape conflicts with many others: report it once.
        if link.source.name not in self._misfits and other.source.name not in self._misfits:
            self._misfits.add(link.source.name)
            self.context.sink.error(
                "DG0401",
                link.at,
                f"`{vertex.name}` cannot {VERBS[merge]} {format_shape(right)} and "
                f"{format_shape(wrong)}",
                label=f"`{link.source.name}` gives {format_shape(wrong)}",
                notes=[
                    steps.merge_note(other.source.name, right, other.source.at.span),
                    steps.merge_note(link.source.name, wrong, link.source.at.span),
                ],
                help="give the nodes the same shape, or convert one edge with `through`",
            )
        return right

    # Stages

    def _stage(self, stage: ast.Stage, vertex: Vertex, x: Shape) -> tuple[tuple[Step, ...], Shape]:
        context = self.context
        outer = self.scope.child(x)
        if vertex.index is not None:
            outer.bind("index", vertex.index)
        what = f"stage `{vertex.name}`"
        wirer = Wirer(what, "stage", outer, context, self.frames)
        wirer.lets(stage.body)
        lets = {let.name.name: let for let in stage.body if isinstance(let, ast.Let)}
        for name in STAGE_ATTRIBUTES:
            if name in lets:
                context.use(lets[name].name)
        channels = self._attribute(lets, "channels", outer, x[0] if x else 0)
        stride = self._attribute(lets, "stride", outer, 1)
        body, y = self._entry(stage, lets, outer, x, channels, stride)
        inner = outer.child(y)
        wirer.scope = inner
        at = Origin(stage.name.span, self.frames)
        wiring = wirer.wire(stage.body, at)
        out = out_merge(stage.body, inner, context, self.frames)
        with context.inner_graph():
            graph, z = GraphBuilder(wiring, inner, context, self.frames, out).build(y, at)
        check_flow(graph, wiring, what, context, at)
        return (*body, graph), z

    def _attribute(self, lets: dict[str, ast.Let], name: str, scope: Scope, default: int) -> int:
        """Return an attribute of a stage that must be a positive whole number; 0 after an error."""
        if name not in lets:
            scope.bind(name, default)
            return default
        let = lets[name]
        value: EvalValue = scope.names[name].value
        number = convert(value, "int", f"`{name}`", let.value.span, self.context.sink)
        if not isinstance(number, int):
            return 0
        if number < 1:
            self.context.sink.error(
                "DG0302",
                let.value.span,
                f"`{name}` must be at least 1, not {number}",
                label=f"this is {number}",
            )
            return 0
        scope.bind(name, number, let.name)
        return number

    def _entry(
        self,
        stage: ast.Stage,
        lets: dict[str, ast.Let],
        scope: Scope,
        x: Shape,
        channels: int,
        stride: int,
    ) -> tuple[tuple[Step, ...], Shape]:
        """Return the steps that convert the input to the stage's channels and resolution."""
        if not x or not channels or not stride:
            return (), UNKNOWN_SHAPE
        sink = self.context.sink
        let = lets.get("entry")
        if let is not None:
            entry = scope.names["entry"].value
            if not isinstance(entry, PipeValue):
                if not isinstance(entry, Unknown):
                    sink.error("DG0301", let.value.span, "`entry` must be a pipe of ops")
                return (), UNKNOWN_SHAPE
            body, y = steps.expand(entry.expr, entry.scope, x, self.context, self.frames)
            if y and "channels" in lets and y[0] != channels:
                sink.error(
                    "DG0403",
                    let.value.span,
                    f"the entry gives {y[0]} channels, but the stage has {channels}",
                    label=f"gives {format_shape(y)}",
                    notes=[steps.merge_note("channels", (channels,), lets["channels"].span)],
                    help="use `channels` in the entry",
                )
            at = Origin(let.name.span, self.frames)
            return (unchecked(Block, at)(name="entry", steps=body, shape=y),), y
        if channels == x[0] and stride == 1:
            return (), x
        asked = lets.get("channels") or lets["stride"]
        body, y = steps.default_entry(x, channels, stride, asked, scope, self.context, self.frames)
        at = Origin(stage.name.span, self.frames)
        return (unchecked(Block, at)(name="entry", steps=body, shape=y),), y
