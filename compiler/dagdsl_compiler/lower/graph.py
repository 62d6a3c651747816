"""IR -> one flat `fx.Graph` that calls the modules by their paths: one rule for each construct.

The rules are exactly those of "What a graph means" in docs/architecture.md. Optimisations that need
the IR are made here; the passes make all others.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from torch import fx, nn

from dagdsl.analysis.liveness import keeps_strongest, may_be_dead
from dagdsl.analysis.shapes import input_of, output_of
from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Op, Router, Step
from dagdsl.ir.paths import ElementPath, GraphPaths, plain
from dagdsl_compiler.blocks.catalogue import CALLS, NOTHING, maker
from dagdsl_compiler.lower.gates import (
    EdgeGate,
    LoweredEdge,
    LoweredRouter,
    decide,
    gate_of,
    keep_strongest,
    opened_gate,
    reach,
)
from dagdsl_compiler.lower.modules import module_at, vertex_read
from dagdsl_compiler.lower.remarks import Remark, note
from dagdsl_compiler.lower.writer import SHAPE, Provenance, Writer
from dagdsl_compiler.runtime import aggregate, liveness
from dagdsl_compiler.runtime.routes import adjacency
from dagdsl_compiler.runtime.scope import ScopeCall, is_scope

_CALLS = "_calls"


def lower(
    net: Net,
    paths: GraphPaths,
    modules: nn.Module,
    *,
    routes: bool,
    called: frozenset[str] = frozenset(),
) -> fx.GraphModule:
    """The graph of `net` over the tree of its modules.

    The graph takes the inputs of the net, `[B, *shape]` each, and returns its outputs. With
    `routes` it returns a pair: the outputs, and a dict from the key of each graph with routers to
    the weights `[B, V, V]` that it applied.
    The scopes whose paths are in `called` are called as modules, so that their hooks fire.
    Raises UsageError if the tree lacks a module.
    """
    return Lowering(modules, routes, called).net(net, paths)


class Lowering:
    """State shared by all graphs of a net: the writer, the rules of steps and the routes so far."""

    def __init__(
        self, modules: nn.Module, collect: bool, called: frozenset[str] = frozenset()
    ) -> None:
        self.modules = nn.Module()
        for name, child in modules.named_children():
            self.modules.add_module(name, child)
        self.modules.add_module(_CALLS, nn.Module())
        self.modules.training = modules.training
        self.called = called
        self.write = Writer()
        self.collect = collect
        self.routes: dict[str, fx.Node] = {}
        self.remarks: list[Remark] = []

    def net(self, net: Net, paths: GraphPaths) -> fx.GraphModule:
        """The whole net; see `lower`."""
        inputs = {
            node.name: self.write.input(at.identifier, Provenance.of(at.label, node))
            for node, at in zip(net.graph.nodes, paths.nodes, strict=True)
            if node.kind == "in"
        }
        ends = frozenset(name for output in net.outputs for name in output.nodes)
        values = self.graph(net.graph, paths, inputs, ends)
        outputs: Any = {
            output.name: values[output.value]
            if isinstance(output.value, str)
            else {tap: values[node] for tap, node in output.value.items()}
            for output in net.outputs
        }
        if len(net.outputs) == 1 and isinstance(net.outputs[0].value, str):
            outputs = outputs[net.outputs[0].name]
        result = (outputs, self.routes) if self.collect else outputs
        self.write.output(result, Provenance.of("output", net))
        module = fx.GraphModule(self.modules, self.write.graph, class_name=net.name)
        note(module, "lower", self.remarks)
        return module

    def rules(
        self, graph: Graph, paths: GraphPaths, inputs: dict[str, fx.Node], ends: frozenset[str]
    ) -> GraphLowering:
        """The lowering of one graph; `ends` are the nodes that are read from outside."""
        return GraphLowering(self, graph, paths, inputs)

    def graph(
        self,
        graph: Graph,
        paths: GraphPaths,
        inputs: dict[str, fx.Node],
        ends: frozenset[str],
    ) -> dict[str, fx.Node]:
        """The outputs of all nodes of a graph."""
        lowered = self.rules(graph, paths, inputs, ends)
        lowered.run()
        if self.collect and graph.is_gated:
            self.routes[paths.routes] = lowered.adjacency()
        return lowered.values

    def element(self, at: ElementPath, steps: Sequence[Step], x: fx.Node) -> fx.Node:
        """A node, an edge with steps or a block, applied to `x`.

        These are its steps, unless a user replaced the element by a module.
        """
        if not at.module:
            return x
        y = self._call(at, steps, x)
        if y is None:
            return self.steps(steps, at.steps, x)
        if steps:
            y.meta[SHAPE] = output_of(steps[-1])
        return y

    def computes(self, at: ElementPath, steps: Sequence[Step]) -> bool:
        """Whether a node does more than merge: it has steps, or was replaced by a module."""
        return bool(steps) or not is_scope(module_at(self.modules, at.module))

    def _call(self, at: ElementPath, steps: Sequence[Step], x: fx.Node | None) -> fx.Node | None:
        """The call of the module at `at`; None if its steps must be called one by one."""
        place = Provenance(at.label, steps[0].origin if steps else None)
        module, inputs = module_at(self.modules, at.module), () if x is None else (x,)
        if not is_scope(module):
            return self.write.module(at.identifier, place, at.module, *inputs)
        if at.module not in self.called:
            return None
        outer, known, self.write = self.write, set(self.routes), Writer()
        inside = None if x is None else self.write.input("x", place)
        result = self._pipe(steps, at.steps, inside)
        found = {key: routes for key, routes in self.routes.items() if key not in known}
        self.write.output((result, found), place)
        body = fx.GraphModule(self.modules, self.write.graph)
        self.write = outer
        path = f"{_CALLS}.{at.identifier}"
        self.modules.get_submodule(_CALLS).add_module(at.identifier, ScopeCall(module, body))
        call = outer.module(f"{at.identifier}_call", place, path, *inputs)
        for key in found:
            of_call = outer.item(f"{at.identifier}_found", place, call, 1)
            name = f"{key.replace('.', '_')}_routes"
            self.routes[key] = outer.call(name, place, operator.getitem, of_call, key)
        return outer.item(at.identifier, place, call, 0)

    def steps(
        self, steps: Sequence[Step], paths: Sequence[ElementPath | GraphPaths], x: fx.Node
    ) -> fx.Node:
        """Apply a sequence of steps to `x`."""
        for step, name in zip(steps, paths, strict=True):
            match step, name:
                case Op(), ElementPath():
                    x = self._op(step, name, x)
                case Block(), ElementPath():
                    x = self.element(name, step.steps, x)
                case Graph(), GraphPaths():
                    first, last = step.nodes[0].name, step.nodes[-1].name
                    x = self.graph(step, name, {first: x}, frozenset({last}))[last]
        return x

    def logits(self, router: Router, at: ElementPath, x: fx.Node | None) -> fx.Node:
        """The logits of a router that reads `x`, which is None for a router without input."""
        logits = self._call(at, router.steps, x)
        return self._pipe(router.steps, at.steps, x) if logits is None else logits

    def _pipe(
        self,
        steps: Sequence[Step],
        paths: Sequence[ElementPath | GraphPaths],
        x: fx.Node | None,
    ) -> fx.Node:
        """Steps applied to `x`; if `x` is None, the first is a module without inputs."""
        if x is not None:
            return self.steps(steps, paths, x)
        (source, *steps), (path, *paths) = steps, paths
        assert isinstance(path, ElementPath)
        place = Provenance.of(path.label, source)
        module_at(self.modules, path.module)
        return self.steps(steps, paths, self.write.module(path.identifier, place, path.module))

    def _op(self, op: Op, at: ElementPath, x: fx.Node) -> fx.Node:
        place = Provenance.of(at.label, op)
        if op.op in NOTHING:
            return x
        if maker(op.op) is not None:
            module_at(self.modules, at.module)
            y = self.write.module(at.identifier, place, at.module, x)
        else:
            call = CALLS[op.op](op)
            y = self.write.call(at.identifier, place, call.function, x, **call.arguments)
        y.meta[SHAPE] = op.shape
        return y


class GraphLowering:
    """The state of lowering one graph: the fx nodes of its nodes and edges so far."""

    def __init__(
        self, shared: Lowering, graph: Graph, paths: GraphPaths, inputs: dict[str, fx.Node]
    ) -> None:
        self.shared = shared
        self.write = shared.write
        self.ir = graph
        self.paths = paths
        self.may_be_dead = may_be_dead(graph)
        self.values = dict(inputs)
        self.alive: dict[str, fx.Node] = {}
        self.weights: dict[tuple[str, str], fx.Node | None] = {}
        self.carried: dict[LoweredEdge, fx.Node] = {}
        self.decisions: dict[str, LoweredRouter] = {}
        self.wires: dict[str, list[LoweredEdge]] = {node.name: [] for node in graph.nodes}
        prefix = f"{paths.identifier}_" if paths.module else ""
        for edge, at in zip(graph.edges, paths.edges, strict=True):
            label = f"{prefix}{plain(edge.source)}_to_{plain(edge.target)}"
            self.wires[edge.target].append(LoweredEdge(edge, at, label))

    def run(self) -> None:
        """Lower all nodes."""
        for node, at in zip(self.ir.nodes, self.paths.nodes, strict=True):
            if node.kind != "in":
                self.values[node.name] = self._node(node, at)

    def adjacency(self) -> fx.Node:
        """The routes, once all nodes are lowered."""
        order = {node.name: i for i, node in enumerate(self.ir.nodes)}
        return self.write.call(
            f"{self.paths.routes.replace('.', '_')}_routes",
            Provenance.of(self.paths.routes, self.ir),
            adjacency,
            self.values[self.ir.nodes[0].name],
            len(order),
            [(order[source], order[target]) for source, target in self.weights],
            list(self.weights.values()),
        )

    def _node(self, node: Node, at: ElementPath) -> fx.Node:
        name, place = at.identifier, Provenance.of(at.label, node)
        values = [self._carry(wire) for wire in self.wires[node.name]]
        gates = self._decide_gates(name, self.wires[node.name]).values()
        weights = [gate.weight for gate in gates]
        merge, params = aggregate.MERGES[node.merge], node.merge_params
        merged = self.write.call(f"{name}_{node.merge}", place, merge, values, weights, **params)
        merged.meta[SHAPE] = input_of(node, self.ir)
        y = self.shared.element(at, node.steps, merged)
        if node.name not in self.may_be_dead:
            return y
        opens = [gate.is_open for gate in gates]
        alive = self.write.call(f"{name}_alive", place, liveness.any_open, opens)
        self.alive[node.name] = alive
        if not self.shared.computes(at, node.steps) and not self._straight_through(node):
            # A merge of closed edges is already zero and has no gradient.
            return y
        y = self.write.call(name, place, liveness.masked, y, alive)
        y.meta[SHAPE] = node.shape
        return y

    def _carry(self, wire: LoweredEdge) -> fx.Node:
        """The value that an edge carries, shared by the merge and a router that reads it."""
        if wire not in self.carried:
            source = self.values[wire.edge.source]
            self.carried[wire] = self.shared.element(wire.at, wire.edge.steps, source)
        return self.carried[wire]

    def _decide_gates(
        self, name: str, wires: Sequence[LoweredEdge], opened: frozenset[LoweredEdge] = frozenset()
    ) -> dict[LoweredEdge, EdgeGate]:
        """The gates of all incoming edges of a node, given in order, once its sources are known.

        The gates of `opened` edges never close. `name` is the identifier of the node.
        """
        write, alive = self.write, self.alive
        decisions = {wire: self._decision(wire.edge) for wire in wires}
        gates = {
            wire: (opened_gate if wire in opened else gate_of)(write, wire, decisions[wire])
            for wire in wires
        }
        keepers = {
            wire: decision
            for wire, decision in decisions.items()
            if decision is not None and wire not in opened and keeps_strongest(self.ir, wire.edge)
        }
        gates = keep_strongest(write, name, alive, gates, keepers)
        reached = {wire: reach(write, wire, gate, alive) for wire, gate in gates.items()}
        for wire, gate in reached.items():
            self.weights[wire.edge.source, wire.edge.target] = gate.weight
        return reached

    def _straight_through(self, node: Node) -> bool:
        """Whether gradients may pass through closed edges into a node."""
        decisions = [self._decision(wire.edge) for wire in self.wires[node.name]]
        return any(d is not None and d.router.train == "straight_through" for d in decisions)

    def _decision(self, edge: Edge) -> LoweredRouter | None:
        """The decision of the router of an edge, lowered when first needed."""
        if edge.gate is None:
            return None
        name = edge.gate.router
        if name not in self.decisions:
            index = [router.name for router in self.ir.routers].index(name)
            router, at = self.ir.routers[index], self.paths.routers[index]
            logits = self._logits(router, at)
            self.decisions[name] = decide(self.write, router, at, logits)
        return self.decisions[name]

    def _logits(self, router: Router, at: ElementPath) -> fx.Node:
        return self.shared.logits(router, at, self._read(router, at))

    def _read(self, router: Router, at: ElementPath) -> fx.Node | None:
        """The value that a router reads; None if it has no input."""
        match router.reads:
            case "nothing":
                return None
            case "target":
                assert router.vertex is not None
                values = [self._carry(wire) for wire in self.wires[router.vertex]]
                name, place = f"{at.identifier}_in", Provenance.of(at.label, router)
                plain_sum = aggregate.weighted_sum
                return self.write.call(name, place, plain_sum, values, [None] * len(values))
            case "source" | "stage":
                return self.values[vertex_read(self.ir, router)]
