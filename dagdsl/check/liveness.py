"""Graph -> which of its nodes may be dead, and which of its edges closed, for some sample."""

from __future__ import annotations

from dagdsl.ir.nodes import Edge, Graph, Router


def can_die(graph: Graph) -> frozenset[str]:
    """The nodes all of whose in-edges may be closed for one sample; a port `in` is never one."""
    mortal: set[str] = set()
    for node in graph.nodes:
        if node.kind == "in":
            continue
        if not any(_keeps_alive(graph, edge, mortal) for edge in graph.edges_into(node.name)):
            mortal.add(node.name)
    return frozenset(mortal)


def closable(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's own gate may close it; its source may be dead all the same."""
    router = router_of(graph, edge)
    return router is not None and router.closes


def keeps_strongest(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's gate may reopen it for a node that it would otherwise leave dead."""
    router = router_of(graph, edge)
    return router is not None and router.threshold is not None and router.dead == "keep_strongest"


def router_of(graph: Graph, edge: Edge) -> Router | None:
    """The router that weighs the edge, if one does."""
    return None if edge.gate is None else graph.router(edge.gate.router)


def _keeps_alive(graph: Graph, edge: Edge, mortal: set[str]) -> bool:
    # One such edge is enough: the strongest is looked for among all in-edges of a node that keep
    # theirs, and one whose source is alive is always there to be found.
    if edge.source in mortal:
        return False
    return not closable(graph, edge) or keeps_strongest(graph, edge)
