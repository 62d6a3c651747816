"""Graph -> nodes that may be dead or unneeded, and edges that may close, for some sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dagdsl.ir.nodes import Edge, Graph, Router


def closable(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's own gate may close it. Independently of that, its source may be dead."""
    router = router_of(graph, edge)
    return router is not None and router.closes


def jointly_closable(graph: Graph, edge: Edge) -> bool:
    """Whether the gate may close this edge and all its others at once; a bare top-k cannot."""
    router = router_of(graph, edge)
    return router is not None and router.threshold is not None


Closes = Callable[[Graph, Edge], bool]


def may_be_dead(graph: Graph, closes: Closes = closable) -> frozenset[str]:
    """Return the nodes that no open edge may reach for some sample. An `in` is never dead."""
    found: set[str] = set()
    for node in graph.nodes:
        if node.kind == "in":
            continue
        into = graph.edges_into(node.name)
        if not any(_keeps_alive(graph, edge, found, closes) for edge in into):
            found.add(node.name)
    return frozenset(found)


def may_be_unneeded(graph: Graph, ends: Iterable[str], closes: Closes = closable) -> frozenset[str]:
    """Return the nodes that may be unneeded for some sample, as is known before they run.

    Each outgoing edge of such a node leads to another such node, or may be closed by a router that
    reads an earlier node. `ends` are the nodes read from outside the graph.
    """
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    read = {router.vertex for router in graph.routers}
    needed = {*ends, *(name for name in read if name is not None)}
    leaving: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        leaving.setdefault(edge.source, []).append(edge)
    found: set[str] = set()

    def may_be_unread(edge: Edge) -> bool:
        router = router_of(graph, edge)
        if edge.target in found:
            return True
        if router is None or not closes(graph, edge) or keeps_strongest(graph, edge):
            return False
        return router.vertex is None or place[router.vertex] < place[edge.source]

    for node in reversed(graph.nodes):
        out = leaving.get(node.name, ())
        if node.name not in needed and node.kind != "in" and out and all(map(may_be_unread, out)):
            found.add(node.name)
    return frozenset(found)


def keeps_strongest(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's gate reopens the strongest edge of a node that would otherwise be dead."""
    router = router_of(graph, edge)
    return router is not None and router.threshold is not None and router.dead == "keep_strongest"


def router_of(graph: Graph, edge: Edge) -> Router | None:
    """The router that weighs the edge, or None."""
    return None if edge.gate is None else graph.router(edge.gate.router)


def _keeps_alive(graph: Graph, edge: Edge, dead: set[str], closes: Closes) -> bool:
    # One such edge is enough: `keep_strongest` chooses among the node's incoming edges with that
    # setting, and at least one of them has a live source.
    if edge.source in dead:
        return False
    return not closes(graph, edge) or keeps_strongest(graph, edge)
