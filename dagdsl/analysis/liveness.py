"""Graph -> which of its nodes may be dead or idle, which of its edges closed, for some sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dagdsl.ir.nodes import Edge, Graph, Router


def closable(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's own gate may close it; its source may be dead all the same."""
    router = router_of(graph, edge)
    return router is not None and router.closes


def all_closable(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's gate may close it and all others: a top-k without a threshold cannot."""
    router = router_of(graph, edge)
    return router is not None and router.threshold is not None


Closes = Callable[[Graph, Edge], bool]


def can_die(graph: Graph, closes: Closes = closable) -> frozenset[str]:
    """The nodes all of whose in-edges may be closed for one sample; a port `in` is never one."""
    mortal: set[str] = set()
    for node in graph.nodes:
        if node.kind == "in":
            continue
        into = graph.edges_into(node.name)
        if not any(_keeps_alive(graph, edge, mortal, closes) for edge in into):
            mortal.add(node.name)
    return frozenset(mortal)


def can_idle(graph: Graph, ends: Iterable[str], closes: Closes = closable) -> frozenset[str]:
    """The nodes that nothing may need for one sample, as is known before they are computed.

    All edges that leave such a node lead to others of the kind, or may be closed by routers that
    read what stands before it. `ends` are the nodes that are read from outside of the graph.
    """
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    read = {router.vertex for router in graph.routers}
    needed = {*ends, *(name for name in read if name is not None)}
    leaving: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        leaving.setdefault(edge.source, []).append(edge)
    idle: set[str] = set()

    def unneeded(edge: Edge) -> bool:
        router = router_of(graph, edge)
        if edge.target in idle:
            return True
        if router is None or not closes(graph, edge) or keeps_strongest(graph, edge):
            return False
        return router.vertex is None or place[router.vertex] < place[edge.source]

    for node in reversed(graph.nodes):
        out = leaving.get(node.name, ())
        if node.name not in needed and node.kind != "in" and out and all(map(unneeded, out)):
            idle.add(node.name)
    return frozenset(idle)


def keeps_strongest(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's gate may reopen it for a node that it would otherwise leave dead."""
    router = router_of(graph, edge)
    return router is not None and router.threshold is not None and router.dead == "keep_strongest"


def router_of(graph: Graph, edge: Edge) -> Router | None:
    """The router that weighs the edge, if one does."""
    return None if edge.gate is None else graph.router(edge.gate.router)


def _keeps_alive(graph: Graph, edge: Edge, mortal: set[str], closes: Closes) -> bool:
    # One such edge is enough: the strongest is looked for among all in-edges of a node that keep
    # theirs, and one whose source is alive is always there to be found.
    if edge.source in mortal:
        return False
    return not closes(graph, edge) or keeps_strongest(graph, edge)
