"""IR -> terms: the expression for each op, block, router and graph, one use at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dagdsl.analysis.shapes import input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Edge, Graph, Node, Op, Router, Shape, Step, Value
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import SAME_CHANNELS, Param, same_shape
from dagdsl.sema.routers import open_bias
from dagdsl.unparse.order import declaration_order
from dagdsl.unparse.terms import ArgTerm, CallTerm, Inexpressible, Mention, PipeTerm, Term, literal
from dagdsl.unparse.wires import GraphWiring, Via

_INLINE = "router"
"""The name that the IR gives to a router without a name."""


@dataclass(frozen=True, slots=True)
class NodeTerms:
    """A node, or all nodes of an array: the merge and the steps of each."""

    name: str
    is_array: bool
    merges: tuple[CallTerm | None, ...]
    bodies: tuple[PipeTerm | None, ...]


@dataclass(slots=True)
class GraphTerms:
    """The contents of the braces of a net, a stage or a block."""

    nodes: list[NodeTerms | Node]
    """Inputs and stages of a net are kept as IR nodes."""
    wiring: GraphWiring
    merge: CallTerm | None
    entry: PipeTerm | None = None


class Reader:
    """Reads a net. `found` has the contents of each use of all blocks and routers, by name."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], list[PipeTerm | GraphTerms]] = {}
        self._known: dict[tuple[str, str, PipeTerm], int] = {}

    def graph(self, graph: Graph, entry: PipeTerm | None = None) -> GraphTerms:
        """Return the terms of a graph."""
        names = [node.name for node in graph.nodes]
        units = {name: name.partition("[")[0] for name in names}
        pairs = [(edge.source, edge.target) for edge in graph.edges]
        nodes: list[NodeTerms | Node] = []
        declared: list[str] = []
        arrays: dict[str, list[str]] = {}
        for unit in declaration_order(names, units, pairs):
            members = [graph.node(unit)] if unit in units else _array(unit, graph)
            if unit not in units:
                arrays[unit] = [member.name for member in members]
            declared += [member.name for member in members]
            kind = members[0].kind
            is_port = kind == "out" or (kind == "in" and graph.nodes[-1].kind == "out")
            if kind in ("in", "stage") and not is_port:
                nodes += members
            elif not is_port:
                nodes.append(self._nodes(unit, unit not in units, members, graph))
        vias = self._vias(graph)
        wiring = GraphWiring(graph, declared, arrays, vias, lambda edge: self._through(edge, graph))
        last = graph.nodes[-1]
        merge = self._merge(last) if last.kind == "out" else None
        return GraphTerms(nodes, wiring, merge, entry)

    def stage(self, node: Node, graph: Graph) -> GraphTerms:
        """Return the terms of a stage: its entry and its graph."""
        *before, inner = node.steps
        entry: PipeTerm | None = None
        if before:
            (block,) = before
            assert isinstance(block, Block)
            entry = self.pipe(block.steps, input_of(node, graph))
        if not isinstance(inner, Graph) or node.merge != "sum":
            raise Inexpressible(f"the stage `{node.name}` has no equivalent in the language")
        return self.graph(inner, entry)

    def pipe(self, steps: Iterable[Step], x: Shape) -> PipeTerm:
        """Return the terms of steps applied to an input of shape `x`."""
        terms: list[Term] = []
        for step in steps:
            match step:
                case Op():
                    terms.append(_use(step.op, step.params, x))
                case Block(name=name, steps=(Graph() as graph,)):
                    terms.append(self._mention("block", name, self.graph(graph)))
                case Block(name=name):
                    terms.append(self._mention("block", name, self.pipe(step.steps, x)))
                case Graph():
                    raise Inexpressible("it has a graph outside of stages and blocks")
            x = output_of(step)
        return PipeTerm(tuple(terms))

    def router(self, via: Via) -> Term:
        """Return what follows `via`: the name of a declared router, or its steps."""
        callees = [step.callee for step in via.steps.steps if isinstance(step, CallTerm)]
        if via.base == _INLINE or callees == [via.base]:
            return via.steps
        return self._mention("router", via.base, via.steps)

    def _mention(self, kind: str, name: str, content: PipeTerm | GraphTerms) -> Mention:
        found = self.found.setdefault((kind, name), [])
        if isinstance(content, PipeTerm):
            number = self._known.setdefault((kind, name, content), len(found))
        else:
            number = len(found)
        if number == len(found):
            found.append(content)
        return Mention(kind, name, number)

    def _nodes(self, name: str, is_array: bool, members: Sequence[Node], graph: Graph) -> NodeTerms:
        bodies = []
        for node in members:
            body = self.pipe(node.steps, _merged(node, graph))
            bodies.append(body if body.steps else None)
        return NodeTerms(name, is_array, tuple(map(self._merge, members)), tuple(bodies))

    def _merge(self, node: Node) -> CallTerm | None:
        if node.merge == "sum":
            return None
        return _use(node.merge, node.merge_params, ())

    def _through(self, edge: Edge, graph: Graph) -> PipeTerm | None:
        return self.pipe(edge.steps, graph.node(edge.source).shape) if edge.steps else None

    def _vias(self, graph: Graph) -> dict[str, Via]:
        vias: dict[str, Via] = {}
        for router in graph.routers:
            steps = _router_steps(router, read_by(router, graph))
            vias[router.name] = Via(_base_name(router, vias), steps)
            self.router(vias[router.name])
        return vias


def _merged(node: Node, graph: Graph) -> Shape:
    try:
        return input_of(node, graph)
    except ValueError as error:
        raise Inexpressible(str(error)) from None


def _array(unit: str, graph: Graph) -> list[Node]:
    """The nodes of an array, by index. Raises Inexpressible if it has gaps."""
    members = [node for node in graph.nodes if node.name.partition("[")[0] == unit]
    by_name = {node.name: node for node in members}
    names = [f"{unit}[{index}]" for index in range(len(members))]
    if set(names) != set(by_name) or len({node.kind for node in members}) > 1:
        raise Inexpressible(f"the array `{unit}` has gaps")
    return [by_name[name] for name in names]


def _use(
    op: str,
    values: Mapping[str, Value | None],
    x: Shape,
    defaults: Mapping[str, Value] | None = None,
) -> CallTerm:
    """An op with its arguments. Arguments equal to their defaults are marked as such."""
    args = []
    for param in OPS[op].params:
        value = values[param.name]
        default = (
            _default(param, x) if defaults is None else defaults.get(param.name, _default(param, x))
        )
        same = type(value) is type(default) and value == default
        args.append(ArgTerm(param.name, literal(value), same))
        if value is None and not same:
            raise Inexpressible(f"`{op}` has no `{param.name}`")
    return CallTerm(op, tuple(args))


def _default(param: Param, x: Shape) -> object:
    if param.default is SAME_CHANNELS:
        return x[0] if x else None
    return param.default


def _router_steps(router: Router, x: Shape) -> PipeTerm:
    steps: list[Term] = []
    if router.reads not in ("source", "nothing"):
        steps.append(CallTerm("reads", (ArgTerm("where", literal(router.reads)),)))
    defaults: dict[str, Value] = {"channels": router.outputs}
    bias = open_bias(router.reads, router.activation)
    if bias is not None:
        defaults["init"] = bias
    changing = [op for op in router.steps if OPS[op.op].shape is not same_shape]
    logit_op = changing[-1] if changing else router.steps[-1]
    for op in router.steps:
        steps.append(_use(op.op, op.params, x, defaults if op is logit_op else None))
        x = op.shape
    if router.activation != "none":
        steps.append(CallTerm(router.activation))
    if router.topk is not None:
        steps.append(CallTerm("topk", (ArgTerm("k", literal(router.topk)),)))
    if router.normalise:
        steps.append(CallTerm("normalise"))
    if router.threshold is not None:
        values = {
            param.name: getattr(router, param.name, None) for param in OPS["threshold"].params
        }
        steps.append(_use("threshold", {**values, "tau": router.threshold}, ()))
    return PipeTerm(tuple(steps))


def _base_name(router: Router, taken: Iterable[str]) -> str:
    """The declared name of a router: without the suffixes for its vertex and its number."""
    ending = ""
    if router.reads in ("source", "target"):
        ending = "_" + re.sub(r"\W+", "_", router.vertex or "").strip("_")
    plain = re.sub(r"_\d+$", "", router.name)
    for name in (plain, router.name) if plain in set(taken) else (router.name, plain):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return _INLINE
