"""IR -> `fx.Graph` for inference, with regions that only some samples need.

The graph computes the same values as that of `lower` and can be run unchanged. In addition, a node
that not every sample needs, and an edge with steps that is not always open, are in a region
(`REGION`). Later passes run regions for some samples only, or dissolve them.

A sample needs a node if one of its incoming edges is open and, as far as the gates of its outgoing
edges are known before it runs, one of these is open too and leads to a needed node. After the first
sure edge into a `first_confident`, it needs no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import fx, nn

from dagdsl.analysis.shapes import carried_by, input_of
from dagdsl.ir.nodes import Block, Graph, Net, Node, Router, Shape, Step
from dagdsl.ir.paths import ElementPath, GraphPaths
from dagdsl_compiler.lower.gates import EdgeGate, LoweredEdge
from dagdsl_compiler.lower.graph import GraphLowering, Lowering
from dagdsl_compiler.lower.pins import Pins, remains_of
from dagdsl_compiler.lower.remarks import Remark
from dagdsl_compiler.lower.writer import SHAPE, Provenance
from dagdsl_compiler.runtime import aggregate, liveness
from dagdsl_compiler.runtime.rows import zeros


def lower_regions(
    net: Net,
    paths: GraphPaths,
    modules: nn.Module,
    *,
    routes: bool,
    pins: Pins,
    everywhere: bool = True,
) -> fx.GraphModule:
    """The graph of `net` for evaluation, with regions and without what `pins` remove.

    With `everywhere`, routes are computed for every sample, so nodes that contain a graph with
    routers run for all samples. Otherwise the routes of such a graph are zero for samples that do
    not need the node.
    """
    return _RegionLowering(modules, routes, pins, everywhere).net(net, paths)


class _RegionLowering(Lowering):
    def __init__(self, modules: nn.Module, collect: bool, pins: Pins, everywhere: bool) -> None:
        super().__init__(modules, collect)
        self.pins = pins
        self.everywhere = collect and everywhere

    def rules(
        self, graph: Graph, paths: GraphPaths, inputs: dict[str, fx.Node], ends: frozenset[str]
    ) -> GraphLowering:
        """See `Lowering`."""
        return _RegionGraph(self, graph, paths, inputs, ends, self.pins, self.everywhere)


class _RegionGraph(GraphLowering):
    def __init__(
        self,
        shared: Lowering,
        graph: Graph,
        paths: GraphPaths,
        inputs: dict[str, fx.Node],
        ends: frozenset[str],
        pins: Pins,
        everywhere: bool,
    ) -> None:
        super().__init__(shared, graph, paths, inputs)
        self.everywhere = everywhere
        self.remains = remains_of(graph, paths, pins)
        self.may_be_dead = self.remains.may_be_dead
        self._remark_on_edges()
        self.scopes = dict(zip((n.name for n in graph.nodes), paths.nodes, strict=True))
        self.live = {
            name: [wire for wire in wires if _arrow(wire) not in self.remains.closed]
            for name, wires in self.wires.items()
        }
        self.leaving: dict[str, list[LoweredEdge]] = {node.name: [] for node in graph.nodes}
        for wires in self.live.values():
            for wire in wires:
                self.leaving[wire.edge.source].append(wire)
        # Routes of graphs inside nodes are needed even for samples that do not need these nodes.
        self.entire = {n.name for n in graph.nodes if everywhere and _has_routers(n.steps)}
        carried = {e.source for e in graph.edges if everywhere and _has_routers(e.steps)}
        # Nodes with readers other than their outgoing edges.
        self.read_from_outside = ends | self.remains.read | self.entire | carried
        self.routers_reading = self._routers_reading()
        self.gates: dict[str, dict[LoweredEdge, EdgeGate]] = {}
        self.used: dict[str, fx.Node] = {}
        self._answers = {
            wire.edge.source
            for node in graph.nodes
            if node.merge == "first_confident"
            for wire in self.live[node.name]
        }
        self._known_answers = 0
        self.logits: dict[str, fx.Node] = {}
        self.needs: dict[str, frozenset[str]] = {}

    def _node(self, node: Node, at: ElementPath) -> fx.Node:
        place = Provenance.of(at.label, node)
        if node.name in self.remains.dead:
            self._remark(at.label, True, "left out: it is never alive")
            return self._zeros(at.identifier, place, node.shape)
        computes = self.shared.computes(at, node.steps)
        run = self._run(node.name) if computes else None
        if run is None or node.name in self.entire:
            if computes:
                self._remark(at.label, False, self._why_for_all(node.name))
            y = self.shared.element(at, node.steps, self._merged(node, place))
            return y if run is None else self._leave(at.identifier, place, y, run, node.shape)
        self._remark(at.label, True, "a region: not every sample needs it")
        carried, known = self._carried(node), set(self.shared.routes)
        with self.write.region(at.label):
            merged = self._merged(node, place, carried)
            y = self.shared.element(at, node.steps, merged)
            looks = {
                router.name: self._logits_inside(router, y)
                for router in self.routers_reading.get(node.name, [])
            }
        self._leave_routes(known, place, run)
        for router in self.routers_reading.get(node.name, []):
            look = looks[router.name]
            self.logits[router.name] = self._leave(
                f"{look.name}_seen", place, look, run, (router.outputs,)
            )
        return self._leave(at.identifier, place, y, run, node.shape)

    def _merged(
        self, node: Node, place: Provenance, carried: Mapping[LoweredEdge, fx.Node] | None = None
    ) -> fx.Node:
        """The merged input of a node; closed edges contribute zeros where that matters."""
        carried = self._carried(node) if carried is None else carried
        gates, name = self._gates_into(node.name), self.scopes[node.name].identifier
        like = next(iter(carried.values()))
        values, weights = [], []
        for wire in self.wires[node.name]:
            if wire in carried:
                values.append(carried[wire])
                weights.append(gates[wire].weight)
            elif node.merge != "sum":
                shape = carried_by(wire.edge, self.ir)
                values.append(self._zeros(f"{wire.label}_none", wire.place, shape, like))
                weights.append(None)
        merge, params = aggregate.MERGES[node.merge], node.merge_params
        merged = self.write.call(f"{name}_{node.merge}", place, merge, values, weights, **params)
        merged.meta[SHAPE] = input_of(node, self.ir)
        return merged

    def _carried(self, node: Node) -> dict[LoweredEdge, fx.Node]:
        """The values of the edges into a node, each computed where the edge is open."""
        gates, used = self._gates_into(node.name), self._used(node.name)
        values = {}
        for wire in self.live[node.name]:
            run = _both_or_one(self, f"{wire.label}_run", wire.place, gates[wire].is_open, used)
            steps = wire.edge.steps
            whole = self.everywhere and _has_routers(steps)
            if run is None or not steps or whole or wire in self.carried:
                values[wire] = self._carry(wire)
                continue
            known = set(self.shared.routes)
            with self.write.region(wire.at.label):
                source = self.values[wire.edge.source]
                value = self.shared.element(wire.at, steps, source)
            self._leave_routes(known, wire.place, run)
            if value is source:
                values[wire] = source
                continue
            shape = carried_by(wire.edge, self.ir)
            name = f"{wire.label}_carried"
            values[wire] = self._leave(name, wire.place, value, run, shape)
        return values

    def _run(self, name: str) -> fx.Node | None:
        """The samples that need a node, `[B]` or `[1]`; None for all, as far as known."""
        used = self._used(name)
        return self._alive(name) if used is None else used

    def _used(self, name: str) -> fx.Node | None:
        """The samples in which an open edge leads from a node to a needed one, as far as known.

        The node is alive in these samples, because an edge is open only if its source is alive.
        """
        # Each computed answer may reduce what is still needed.
        if len(self._answers & self.values.keys()) > self._known_answers:
            self._known_answers = len(self._answers & self.values.keys())
            self.used.clear()
        if name in self.used:
            return self.used[name]
        if name in self.read_from_outside or not self.leaving[name]:
            return None
        terms = []
        for wire in self.leaving[name]:
            target = wire.edge.target
            if not self._needed_by_gates(target) <= self.values.keys():
                return None
            opened, wanted = self._gates_into(target)[wire].is_open, self._used(target)
            term = _both_or_one(self, f"{wire.label}_used", wire.place, opened, wanted)
            term = _both_or_one(
                self, f"{wire.label}_asked", wire.place, term, self._unanswered(wire)
            )
            if term is None:
                return None
            terms.append(term)
        at = self.scopes[name]
        place = Provenance.of(at.label, self.ir.node(name))
        used = self.write.call(f"{at.identifier}_used", place, liveness.any_open, terms)
        self.used[name] = used
        return used

    def _why_for_all(self, name: str) -> str:
        """The reason why a node is not a region."""
        if name in self.entire:
            return "runs for all samples: it contains a graph whose routes are returned"
        if name in self.read_from_outside:
            why = "it is an output or a router reads it"
        elif not self.leaving[name]:
            why = "no edge leaves it"
        else:
            why = "as far as known before it runs, all of them use it"
        return f"runs for all samples: it is never dead, and {why}"

    def _remark(self, place: str, done: bool, reason: str) -> None:
        self.shared.remarks.append(Remark(place, done, reason))

    def _remark_on_edges(self) -> None:
        remains = self.remains
        for edge, at in zip(self.ir.edges, self.paths.edges, strict=True):
            arrow = (edge.source, edge.target)
            if arrow in remains.opened:
                self._remark(at.label, True, "its gate is left out: it is always open")
            elif arrow in remains.closed:
                dead = edge.source in remains.dead
                why = f"{edge.source} is never alive" if dead else "it is always closed"
                self._remark(at.label, True, f"left out: {why}")

    def _unanswered(self, wire: LoweredEdge) -> fx.Node | None:
        """The samples in which a merge reaches an edge, as far as known; None for all."""
        node = self.ir.node(wire.edge.target)
        if node.merge != "first_confident":
            return None
        wires = self.live[node.name]
        earlier = [
            other
            for other in wires[: wires.index(wire)]
            if other.edge.source in self.values and not other.edge.steps
        ]
        if not earlier:
            return None
        values = [self.values[other.edge.source] for other in earlier]
        weights = [self._gates_into(node.name)[other].weight for other in earlier]
        name = f"{wire.label}_unanswered"
        tau = node.merge_params["tau"]
        return self.write.call(name, wire.place, aggregate.unsure, values, weights, tau=tau)

    def _alive(self, name: str) -> fx.Node | None:
        """The mask of samples in which a node is alive; None if always."""
        if name in self.may_be_dead and name not in self.alive:
            at = self.scopes[name]
            place = Provenance.of(at.label, self.ir.node(name))
            opens = [gate.is_open for gate in self._gates_into(name).values()]
            self.alive[name] = self.write.call(
                f"{at.identifier}_alive", place, liveness.any_open, opens
            )
        return self.alive.get(name)

    def _gates_into(self, name: str) -> dict[LoweredEdge, EdgeGate]:
        """The gates of the live edges into a node, sources taken into account."""
        if name in self.gates:
            return self.gates[name]
        wires = self.live[name]
        for wire in wires:
            self._alive(wire.edge.source)
        opened = frozenset(wire for wire in wires if _arrow(wire) in self.remains.opened)
        self.gates[name] = self._decide_gates(self.scopes[name].identifier, wires, opened)
        return self.gates[name]

    def _needed_by_gates(self, name: str) -> frozenset[str]:
        """The nodes that must be computed before the gates of edges into `name` are known."""
        if name not in self.needs:
            needed: set[str] = set()
            for wire in self.live[name]:
                edge = wire.edge
                if edge.source in self.may_be_dead:
                    needed |= self._needed_by_gates(edge.source)
                router = None if edge.gate is None else self.ir.router(edge.gate.router)
                if router is None or router.vertex is None:
                    continue
                if router.reads == "target":
                    needed |= {wire.edge.source for wire in self.wires[router.vertex]}
                else:
                    needed.add(router.vertex)
            self.needs[name] = frozenset(needed)
        return self.needs[name]

    def _routers_reading(self) -> dict[str, list[Router]]:
        """Node -> the routers that read it and decide only about its outgoing edges."""
        weighed: dict[str, set[str]] = {}
        for wires in self.live.values():
            for edge in (wire.edge for wire in wires):
                if edge.gate is not None:
                    weighed.setdefault(edge.gate.router, set()).add(edge.source)
        readers: dict[str, list[Router]] = {}
        for router in self.ir.routers:
            if router.reads == "source" and weighed.get(router.name) == {router.vertex}:
                readers.setdefault(str(router.vertex), []).append(router)
        return readers

    def _logits_inside(self, router: Router, x: fx.Node) -> fx.Node:
        index = [other.name for other in self.ir.routers].index(router.name)
        return self.shared.logits(router, self.paths.routers[index], x)

    def _logits(self, router: Router, at: ElementPath) -> fx.Node:
        known = self.logits.get(router.name)
        return super()._logits(router, at) if known is None else known

    def _leave_routes(self, known: set[str], place: Provenance, run: fx.Node) -> None:
        """Mask the routes found in a region, so that they can be used outside."""
        for key, routes in self.shared.routes.items():
            if key not in known:
                name = f"{routes.name}_seen"
                self.shared.routes[key] = self._leave(name, place, routes, run, routes.meta[SHAPE])

    def adjacency(self) -> fx.Node:
        """See `GraphLowering`."""
        routes = super().adjacency()
        routes.meta[SHAPE] = (len(self.ir.nodes), len(self.ir.nodes))
        return routes

    def _leave(
        self, name: str, place: Provenance, x: fx.Node, run: fx.Node, shape: Shape
    ) -> fx.Node:
        left = self.write.call(name, place, liveness.masked, x, run)
        left.meta[SHAPE] = shape
        return left

    def _zeros(
        self, name: str, place: Provenance, shape: Shape, like: fx.Node | None = None
    ) -> fx.Node:
        like = self.values[self.ir.nodes[0].name] if like is None else like
        return self.write.call(name, place, zeros, like, shape)


def _has_routers(steps: Iterable[Step]) -> bool:
    for step in steps:
        if isinstance(step, Graph):
            inner = (*(node.steps for node in step.nodes), *(edge.steps for edge in step.edges))
            if step.is_gated or any(map(_has_routers, inner)):
                return True
        elif isinstance(step, Block) and _has_routers(step.steps):
            return True
    return False


def _arrow(wire: LoweredEdge) -> tuple[str, str]:
    return wire.edge.source, wire.edge.target


def _both_or_one(
    lowering: GraphLowering,
    name: str,
    place: Provenance,
    first: fx.Node | None,
    second: fx.Node | None,
) -> fx.Node | None:
    """`first and second`, where None means true for all samples."""
    if first is None or second is None:
        return first or second
    return lowering.write.call(name, place, liveness.both, first, second)
