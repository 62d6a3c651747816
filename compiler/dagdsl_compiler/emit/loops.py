"""Write a graph of regular structure as a loop over its nodes, which takes fewer lines.

Two structures are supported: a chain without gates; and a complete DAG whose gates follow one
rule, with a router at each source, or with a single router that reads no node. Other graphs are
written node by node.
"""

from __future__ import annotations

from itertools import pairwise

from dagdsl.analysis.liveness import may_be_dead
from dagdsl.ir.nodes import Edge, Gate, Graph, Node, Router
from dagdsl.ir.paths import GraphPaths
from dagdsl_compiler.emit.classes import routes_key
from dagdsl_compiler.emit.code import PackedCode, flat, literal
from dagdsl_compiler.emit.forward import ClassWriter, is_routed
from dagdsl_compiler.emit.gates import GateRule

_MIN_NODES = 3


def write_loop(writer: ClassWriter, graph: Graph, names: GraphPaths, x: str) -> str | None:
    """Write a graph as a loop over the variable `x`. Returns the expression of its output.

    Writes nothing and returns None if the graph has no supported structure.
    """
    nodes = graph.nodes[1:-1]
    if len(nodes) < _MIN_NODES or not all(map(_is_plain, nodes)):
        return None
    out = graph.nodes[-1]
    if out.steps or out.merge != "sum" or any(edge.steps for edge in graph.edges):
        return None
    modules = writer.members.sequence([writer.relative(at.module) for at in names.nodes[1:-1]])
    if _is_chain(graph):
        is_array = len(modules) == 1
        items = modules[0].removeprefix("*") if is_array else _node_list(writer, modules)
        writer.line(2, f"for node in {items}:")
        writer.line(3, f"{x} = node({x})")
        return x
    everything = [*modules, "nn.Identity()"]
    if _has_source_routers(graph):
        return _write_source_routers(writer, graph, names, everything, x)
    if _has_one_router(graph):
        return _write_one_router(writer, graph, names, everything, x)
    return None


def _is_plain(node: Node) -> bool:
    return node.merge == "sum" and bool(node.steps) and not is_routed(node.steps)


def _is_chain(graph: Graph) -> bool:
    names = [node.name for node in graph.nodes]
    pairs = pairwise(names)
    return graph.edges == tuple(Edge(source=a, target=b) for a, b in pairs)


def _gates(graph: Graph) -> dict[tuple[int, int], Gate | None]:
    order = {node.name: i for i, node in enumerate(graph.nodes)}
    return {(order[edge.source], order[edge.target]): edge.gate for edge in graph.edges}


def _has_source_routers(graph: Graph) -> bool:
    """Whether the graph is complete, with a router at each source and one rule for all."""
    routers, gates, last = graph.routers, _gates(graph), len(graph.nodes) - 1
    expected = {
        (i, j): Gate(router=router.name, index=j - i - 1)
        for i, router in enumerate(routers)
        for j in range(i + 1, last + 1)
    }
    return (
        len(routers) == last
        and gates == expected
        and len({(GateRule.of(router), router.threshold) for router in routers}) == 1
        and all(
            router.reads == "source" and router.vertex == node.name and _closes_at_router(router)
            for router, node in zip(routers, graph.nodes, strict=False)
        )
        and not GateRule.of(routers[0]).has_groups
        and _sums_in_order(graph)
    )


def _has_one_router(graph: Graph) -> bool:
    """Whether the graph is complete, with one router, which closes no edge and reads no node.

    Its weights are ordered by target, then by source.
    """
    if len(graph.routers) != 1:
        return False
    router, size = graph.routers[0], len(graph.nodes)
    pairs = [(i, j) for j in range(1, size) for i in range(j)]
    expected = {pair: Gate(router=router.name, index=k) for k, pair in enumerate(pairs)}
    known = router.reads in ("nothing", "stage") and not router.closes
    return known and _gates(graph) == expected and _sums_in_order(graph)


def _closes_at_router(router: Router) -> bool:
    return router.threshold is None or router.dead == "zero"


def _sums_in_order(graph: Graph) -> bool:
    """Whether all merges read earlier nodes first, so that the loop's sums round identically."""
    order = {node.name: i for i, node in enumerate(graph.nodes)}
    return all(
        [order[edge.source] for edge in graph.edges_into(node.name)] == list(range(i))
        for i, node in enumerate(graph.nodes)
    )


def _write_source_routers(
    writer: ClassWriter, graph: Graph, names: GraphPaths, modules: list[str], x: str
) -> str:
    function = writer.build.gates[graph.routers[0]]
    rule, tau = function.rule, graph.routers[0].threshold
    closes, masks = rule.closes, bool(may_be_dead(graph))
    logits = "router(values[j])"
    more = [literal(tau)] if function.has_tau else []
    more += ["self.training"] if rule.train == "soft" else []
    more += ["alive=alive"] if masks else []
    routers = writer.members.access(writer.relative(names.routers[0].module).rpartition(".")[0])
    line = writer.line
    line(2, f"routers = {routers}.children()")
    starts = [f"values = [{x}]", "weights: list[tuple[Tensor, ...]] = []"]
    starts += ["open_masks: list[tuple[Tensor, ...]] = []", "alive: Tensor | None = None"] * closes
    for start in starts:
        line(2, start)
    nodes = _node_list(writer, modules)
    line(2, f"for j, (node, router) in enumerate(zip({nodes}, routers)):")
    call = f"{function.name}({', '.join([logits, *more])})"
    if closes:
        line(3, f"weight, is_open = {call}")
        line(3, "weights.append(weight)")
        line(3, "open_masks.append(is_open)")
    else:
        line(3, f"weights.append({call})")
    line(3, "# Row i holds the outgoing edges of vertex i, to vertices i + 1, i + 2, ...")
    line(3, "incoming: list[Tensor | None] = [row[j - i] for i, row in enumerate(weights)]")
    if closes:
        line(3, "alive = any_open([row[j - i] for i, row in enumerate(open_masks)])")
        line(3, "values.append(masked(node(weighted_sum(values, incoming)), alive))")
    else:
        line(3, "values.append(node(weighted_sum(values, incoming)))")
    edges = "{(i, j): w for i, row in enumerate(weights) for j, w in enumerate(row, i + 1)}"
    _write_routes(writer, names, edges, x)
    return "values[-1]"


def _write_one_router(
    writer: ClassWriter, graph: Graph, names: GraphPaths, modules: list[str], x: str
) -> str:
    router = graph.routers[0]
    function = writer.build.gates[router]
    read = x if router.reads == "stage" else None
    args = [flat(writer.logits(router, names.routers[0], read))]
    line = writer.line
    if function.rule.has_groups:
        line(2, f"groups = {literal(router.groups)}")
        args.append("groups")
    line(2, f"weights = {function.name}({', '.join(args)})")
    line(2, "edges: dict[tuple[int, int], Tensor] = {}")
    line(2, f"values = [{x}]")
    line(2, f"for j, node in enumerate({_node_list(writer, modules)}, 1):")
    line(3, "incoming = weights[len(edges) : len(edges) + j]")
    line(3, "edges |= {(i, j): weight for i, weight in enumerate(incoming)}")
    line(3, "values.append(node(weighted_sum(values, list(incoming))))")
    _write_routes(writer, names, None, x)
    return "values[-1]"


def _node_list(writer: ClassWriter, modules: list[str]) -> str:
    """A list of modules: in place if it is short, otherwise in a variable."""
    if len(modules) <= _MIN_NODES:
        return f"[{', '.join(modules)}]"
    writer.put("nodes", PackedCode(tuple(modules)))
    return "nodes"


def _write_routes(writer: ClassWriter, names: GraphPaths, edges: str | None, x: str) -> None:
    writer.line(2, "if routes is not None:")
    if edges is not None:
        writer.line(3, f"edges = {edges}")
    key = routes_key(len(writer.keys))
    call = f"adjacency({x}, len(values), list(edges), list(edges.values()))"
    writer.line(3, f"routes[{key}] = {call}")
    writer.keys.append(names.routes)
