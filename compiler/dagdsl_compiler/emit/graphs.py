"""Write a graph as the lines of a `forward`, node by node.

The counterpart of `lower/graph.py`. It makes the same calls in the same order, so that dropout
also draws the same random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagdsl.analysis.liveness import keeps_strongest, may_be_dead
from dagdsl.ir.nodes import Edge, Graph, Node, Router
from dagdsl.ir.paths import ElementPath, GraphPaths
from dagdsl_compiler.emit.classes import routes_key
from dagdsl_compiler.emit.code import Code, PackedCode, call, literal
from dagdsl_compiler.emit.forward import ClassWriter, is_routed
from dagdsl_compiler.emit.gates import GateRule, masks_source
from dagdsl_compiler.emit.identifiers import snake
from dagdsl_compiler.lower.modules import vertex_read
from dagdsl_compiler.runtime.aggregate import MERGES


@dataclass(frozen=True, slots=True)
class _EdgeCode:
    """Expressions for an edge: its value, weight (None: 1) and open mask (None: always open)."""

    value: str
    weight: str | None = None
    is_open: str | None = None


class GraphWriter:
    """Writes the nodes of a graph in order; `values` maps a node to its variable."""

    def __init__(
        self, writer: ClassWriter, graph: Graph, names: GraphPaths, values: dict[str, str]
    ) -> None:
        self.writer = writer
        self.graph = graph
        self.names = names
        self.values = values
        self.may_be_dead = may_be_dead(graph)
        self.alive: dict[str, str] = {}
        self.carried: dict[tuple[str, str], str] = {}
        self.decided: dict[str, tuple[str, str | None]] = {}
        self.weights: dict[tuple[str, str], str | None] = {}
        self.scopes = dict(zip(graph.nodes, names.nodes, strict=True))
        self.edge_scopes = {
            (edge.source, edge.target): at
            for edge, at in zip(graph.edges, names.edges, strict=True)
        }

    def run(self) -> dict[str, str]:
        """Write all nodes, then the routes. Returns the variable of each node."""
        for node, at in zip(self.graph.nodes, self.names.nodes, strict=True):
            if node.kind != "in":
                self.values[node.name] = self._node(node, at)
        if self.graph.is_gated:
            self._routes()
        return self.values

    # Nodes

    def _node(self, node: Node, at: ElementPath) -> str:
        edges = self.graph.edges_into(node.name)
        values = [self._carry(edge) for edge in edges]
        incoming = [
            self._reach(edge, edge_code)
            for edge, edge_code in zip(edges, self._gate_edges(node, edges, values), strict=True)
        ]
        for edge, edge_code in zip(edges, incoming, strict=True):
            self.weights[edge.source, edge.target] = edge_code.weight
        result = self._merge(node, incoming)
        if node.steps:
            routes = ["routes"] if is_routed(node.steps) else []
            result = call(self.writer.module(at), result, *routes)
        name = snake(node.name)
        if node.name in self.may_be_dead:
            alive = self.alive[node.name] = self.writer.names.new(f"{name}_alive")
            masks = [edge_code.is_open for edge_code in incoming]
            self.writer.put(alive, call("any_open", PackedCode(_present(masks))))
            result = call("masked", result, alive)
        elif isinstance(result, str) and result.isidentifier():
            return result
        variable = self.writer.names.new(name)
        self.writer.put(variable, result)
        return variable

    def _merge(self, node: Node, incoming: Sequence[_EdgeCode]) -> Code:
        values = [edge_code.value for edge_code in incoming]
        weights = [edge_code.weight for edge_code in incoming]
        if not any(weights):
            if len(values) == 1:
                return values[0]
            if node.merge == "sum":
                return _unweighted_sum(values)
            if node.merge == "concat":
                return call("torch.cat", PackedCode(tuple(values)), "1")
        lists = (PackedCode(tuple(values)), PackedCode(tuple(map(str, weights))))
        params = map(literal, node.merge_params.values())
        return call(MERGES[node.merge].__name__, *lists, *params)

    def _carry(self, edge: Edge) -> str:
        key = edge.source, edge.target
        if key not in self.carried:
            value = self.values[edge.source]
            if edge.steps:
                routes = ["routes"] if is_routed(edge.steps) else []
                source, value = value, self.writer.names.new(_arrow(edge))
                self.writer.put(
                    value, call(self.writer.module(self.edge_scopes[key]), source, *routes)
                )
            self.carried[key] = value
        return self.carried[key]

    # Gates

    def _gate_edges(
        self, node: Node, edges: Sequence[Edge], values: Sequence[str]
    ) -> list[_EdgeCode]:
        """Write the gates of a node's incoming edges, without the liveness of their sources."""
        incoming = [
            _EdgeCode(value, *self._gate(edge)) for edge, value in zip(edges, values, strict=True)
        ]
        keep = [i for i, edge in enumerate(edges) if keeps_strongest(self.graph, edge)]
        if not keep:
            return incoming
        others = [
            self._reach(edge, edge_code).is_open
            for i, (edge, edge_code) in enumerate(zip(edges, incoming, strict=True))
            if i not in keep
        ]
        kept = [incoming[i].is_open for i in keep]
        if None not in others:
            variable = self.writer.names.new(f"{snake(node.name)}_open")
            alive = [str(self.alive.get(edges[i].source)) for i in keep]
            weights = [incoming[i].weight for i in keep]
            lists = (_present(weights), _present(kept), tuple(alive), _present(others))
            self.writer.put(variable, call("keep_strongest", *map(PackedCode, lists)))
            kept = [f"{variable}[{position}]" for position in range(len(keep))]
        for i, is_open in zip(keep, kept, strict=True):
            weight = self.writer.names.new(f"{_arrow(edges[i])}_weight")
            rule = GateRule.of(self._router(edges[i]))
            self.writer.put(
                weight, call(rule.close, rule.weigh(str(incoming[i].weight)), str(is_open))
            )
            incoming[i] = _EdgeCode(incoming[i].value, weight, is_open)
        return incoming

    def _gate(self, edge: Edge) -> tuple[str | None, str | None]:
        if edge.gate is None:
            return None, None
        router = self._router(edge)
        if router.name not in self.decided:
            self.decided[router.name] = self._write_decision(router)
        weights, is_open = self.decided[router.name]
        index = f"[{edge.gate.index}]"
        return weights + index, None if is_open is None else is_open + index

    def _write_decision(self, router: Router) -> tuple[str, str | None]:
        """Write the decision of a router. Returns the variables of its weights and open masks."""
        at = self.names.routers[self.graph.routers.index(router)]
        function = self.writer.build.gates[router]
        rule = function.rule
        logits = self.writer.logits(router, at, self._read(router))
        args: list[Code] = [logits]
        args += [literal(router.threshold)] if function.has_tau else []
        args += [str(router.groups)] if rule.has_groups else []
        args += ["self.training"] if rule.train == "soft" else []
        if masks_source(self.graph, router, self.may_be_dead):
            args.append(f"alive={self.alive[self._source(router)]}")
        name = snake(router.name)
        weights = self.writer.names.new(name, f"{name}_weights")
        if not rule.closes:
            self.writer.put(weights, call(function.name, *args))
            return weights, None
        is_open = self.writer.names.new(f"{name}_open")
        self.writer.put(f"{weights}, {is_open}", call(function.name, *args))
        return weights, is_open

    def _read(self, router: Router) -> Code | None:
        match router.reads:
            case "nothing":
                return None
            case "target" if router.vertex is not None:
                edges = self.graph.edges_into(router.vertex)
                return _unweighted_sum([self._carry(edge) for edge in edges])
            case _:
                return self.values[vertex_read(self.graph, router)]

    def _reach(self, edge: Edge, edge_code: _EdgeCode) -> _EdgeCode:
        """The same edge, closed in samples where its source is dead."""
        alive = self.alive.get(edge.source)
        if alive is None:
            return edge_code
        if edge.gate and masks_source(self.graph, self._router(edge), self.may_be_dead):
            return _EdgeCode(edge_code.value, edge_code.weight, edge_code.is_open or alive)
        weight, is_open = alive, alive
        if edge_code.weight is not None:
            weight = self.writer.names.new(_arrow(edge))
            self.writer.put(weight, call("masked", edge_code.weight, alive))
        if edge_code.is_open is not None:
            is_open = f"{edge_code.is_open} & {alive}"
        return _EdgeCode(edge_code.value, weight, is_open)

    def _router(self, edge: Edge) -> Router:
        assert edge.gate is not None
        return self.graph.router(edge.gate.router)

    def _source(self, router: Router) -> str:
        return next(
            edge.source
            for edge in self.graph.edges
            if edge.gate is not None and edge.gate.router == router.name
        )

    # Routes

    def _routes(self) -> None:
        order = {node.name: i for i, node in enumerate(self.graph.nodes)}
        items = tuple(
            f"({order[source]}, {order[target]}): {weight}"
            for (source, target), weight in self.weights.items()
        )
        edges = self.writer.names.new("edges")
        like = self.values[self.graph.nodes[0].name]
        self.writer.lines.append("        if routes is not None:")
        self.writer.put(edges, PackedCode(items, "{}"), depth=3)
        code = call("adjacency", like, str(len(order)), f"list({edges})", f"list({edges}.values())")
        key = routes_key(len(self.writer.keys))
        self.writer.put(f"routes[{key}]", code, depth=3)
        self.writer.keys.append(self.names.routes)


def _unweighted_sum(values: Sequence[str]) -> Code:
    line = " + ".join(values)
    if len(values) <= 4:
        return line
    return call("weighted_sum", PackedCode(tuple(values)), f"[None] * {len(values)}")


def _arrow(edge: Edge) -> str:
    return f"{snake(edge.source)}_to_{snake(edge.target)}"


def _present(codes: Sequence[str | None]) -> tuple[str, ...]:
    assert None not in codes
    return tuple(map(str, codes))
