"""Graphs of a regular structure -> a loop over their nodes, which says the same in fewer lines.

Two structures are known: the chain without gates, and the complete DAG all of whose edges are
weighed alike, by a router at each source or by one that reads no node. Everything else is written
node by node.
"""

from __future__ import annotations

from itertools import pairwise

from dagdsl.analysis.liveness import may_be_dead
from dagdsl.ir.nodes import Edge, Gate, Graph, Node, Router
from dagdsl.ir.paths import GraphPaths
from dagdsl_compiler.emit.classes import routes_key
from dagdsl_compiler.emit.code import PackedCode, flat, literal
from dagdsl_compiler.emit.forward import Forward, is_routed
from dagdsl_compiler.emit.gates import GateRule

_MIN_NODES = 3


def write_loop(to: Forward, graph: Graph, names: GraphPaths, x: str) -> str | None:
    """Write a graph that reads the variable `x` as a loop; gives the variable of its output.

    Gives None, and writes nothing, if there is no loop for it.
    """
    nodes = graph.nodes[1:-1]
    if len(nodes) < _MIN_NODES or not all(map(_is_plain, nodes)):
        return None
    out = graph.nodes[-1]
    if out.steps or out.merge != "sum" or any(edge.steps for edge in graph.edges):
        return None
    modules = to.members.sequence([to.inside(at.module) for at in names.nodes[1:-1]])
    if _is_chain(graph):
        is_array = len(modules) == 1
        items = modules[0].removeprefix("*") if is_array else _nodes(to, modules)
        to.line(2, f"for node in {items}:")
        to.line(3, f"{x} = node({x})")
        return x
    everything = [*modules, "nn.Identity()"]
    if _has_source_routers(graph):
        return _source_routers(to, graph, names, everything, x)
    if _has_one_router(graph):
        return _one_router(to, graph, names, everything, x)
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
    """Whether it is complete, with a router at each source, all deciding alike."""
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
            router.reads == "source" and router.vertex == node.name and _closes_at_once(router)
            for router, node in zip(routers, graph.nodes, strict=False)
        )
        and not GateRule.of(routers[0]).has_groups
        and _sums_in_order(graph)
    )


def _has_one_router(graph: Graph) -> bool:
    """Whether it is complete, with one router that closes nothing and weighs target by target."""
    if len(graph.routers) != 1:
        return False
    router, size = graph.routers[0], len(graph.nodes)
    pairs = [(i, j) for j in range(1, size) for i in range(j)]
    expected = {pair: Gate(router=router.name, index=k) for k, pair in enumerate(pairs)}
    known = router.reads in ("nothing", "stage") and not router.closes
    return known and _gates(graph) == expected and _sums_in_order(graph)


def _closes_at_once(router: Router) -> bool:
    return router.threshold is None or router.dead == "zero"


def _sums_in_order(graph: Graph) -> bool:
    """Whether all merges take the earlier nodes first: then the sums round alike."""
    order = {node.name: i for i, node in enumerate(graph.nodes)}
    return all(
        [order[edge.source] for edge in graph.edges_into(node.name)] == list(range(i))
        for i, node in enumerate(graph.nodes)
    )


def _source_routers(
    to: Forward, graph: Graph, names: GraphPaths, modules: list[str], x: str
) -> str:
    function = to.build.gates[graph.routers[0]]
    rule, tau = function.rule, graph.routers[0].threshold
    closes, masks = rule.closes, bool(may_be_dead(graph))
    logits = "router(values[j])"
    more = [literal(tau)] if function.has_tau else []
    more += ["self.training"] if rule.train == "soft" else []
    more += ["alive=alive"] if masks else []
    routers = to.members.access(to.inside(names.routers[0].module).rpartition(".")[0])
    line = to.line
    line(2, f"routers = {routers}.children()")
    starts = [f"values = [{x}]", "weights: list[tuple[Tensor, ...]] = []"]
    starts += ["opens: list[tuple[Tensor, ...]] = []", "alive: Tensor | None = None"] * closes
    for start in starts:
        line(2, start)
    nodes = _nodes(to, modules)
    line(2, f"for j, (node, router) in enumerate(zip({nodes}, routers)):")
    call = f"{function.name}({', '.join([logits, *more])})"
    if closes:
        line(3, f"weight, is_open = {call}")
        line(3, "weights.append(weight)")
        line(3, "opens.append(is_open)")
    else:
        line(3, f"weights.append({call})")
    line(3, "# Each vertex has its edges in the order in which the later ones follow it.")
    line(3, "into: list[Tensor | None] = [row[j - i] for i, row in enumerate(weights)]")
    if closes:
        line(3, "alive = any_open([row[j - i] for i, row in enumerate(opens)])")
        line(3, "values.append(masked(node(weighted_sum(values, into)), alive))")
    else:
        line(3, "values.append(node(weighted_sum(values, into)))")
    edges = "{(i, j): w for i, row in enumerate(weights) for j, w in enumerate(row, i + 1)}"
    _routes(to, names, edges, x)
    return "values[-1]"


def _one_router(to: Forward, graph: Graph, names: GraphPaths, modules: list[str], x: str) -> str:
    router = graph.routers[0]
    function = to.build.gates[router]
    read = x if router.reads == "stage" else None
    args = [flat(to.logits(router, names.routers[0], read))]
    line = to.line
    if function.rule.has_groups:
        line(2, f"groups = {literal(router.groups)}")
        args.append("groups")
    line(2, f"weights = {function.name}({', '.join(args)})")
    line(2, "edges: dict[tuple[int, int], Tensor] = {}")
    line(2, f"values = [{x}]")
    line(2, f"for j, node in enumerate({_nodes(to, modules)}, 1):")
    line(3, "into = weights[len(edges) : len(edges) + j]")
    line(3, "edges |= {(i, j): weight for i, weight in enumerate(into)}")
    line(3, "values.append(node(weighted_sum(values, list(into))))")
    _routes(to, names, None, x)
    return "values[-1]"


def _nodes(to: Forward, modules: list[str]) -> str:
    """A list of modules: in place while it is short."""
    if len(modules) <= _MIN_NODES:
        return f"[{', '.join(modules)}]"
    to.put("nodes", PackedCode(tuple(modules)))
    return "nodes"


def _routes(to: Forward, names: GraphPaths, edges: str | None, x: str) -> None:
    to.line(2, "if routes is not None:")
    if edges is not None:
        to.line(3, f"edges = {edges}")
    key = routes_key(len(to.keys))
    call = f"adjacency({x}, len(values), list(edges), list(edges.values()))"
    to.line(3, f"routes[{key}] = {call}")
    to.keys.append(names.routes)
