"""`can_die` against brute force: every way in which gates can be open or closed."""

from __future__ import annotations

from itertools import product

import pytest

from dagdsl.check.liveness import can_die, closable, keeps_strongest
from dagdsl.ir.nodes import Edge, Gate, Graph, Node
from tests.compiler.nets import complete, random_graph, router

X = (2, 4, 4)


def brute_force(graph: Graph) -> frozenset[str]:
    gated = [edge for edge in graph.edges if closable(graph, edge)]
    dead: set[str] = set()
    for choice in product([False, True], repeat=len(gated)):
        is_open = {(e.source, e.target): o for e, o in zip(gated, choice, strict=True)}
        alive: dict[str, bool] = {}
        for node in graph.nodes:
            edges = graph.edges_into(node.name)
            alive[node.name] = node.kind == "in" or any(
                alive[e.source]
                and (is_open.get((e.source, e.target), True) or keeps_strongest(graph, e))
                for e in edges
            )
        dead |= {name for name, lives in alive.items() if not lives}
    return frozenset(dead)


@pytest.mark.parametrize("seed", range(25))
def test_against_brute_force(seed: int) -> None:
    graph = random_graph(seed, X)
    if len(graph.edges) > 12:
        graph = graph.model_copy(update={"edges": graph.edges[:12]})
    assert can_die(graph) == brute_force(graph)


def test_complete_stages() -> None:
    assert can_die(complete(2)) == {"n[0]", "n[1]", "out"}
    assert can_die(complete(2, dead="keep_strongest")) == frozenset()
    assert can_die(complete(2, threshold=None)) == frozenset()


def test_an_ungated_edge_of_a_mortal_node_does_not_save_its_target() -> None:
    nodes = (
        Node(kind="in", name="in", shape=X),
        Node(kind="node", name="a", shape=X),
        Node(kind="node", name="b", shape=X),
        Node(kind="out", name="out", shape=X),
    )
    edges = (
        Edge(source="in", target="a", gate=Gate(router="r", index=0)),
        Edge(source="a", target="b"),
        Edge(source="b", target="out"),
        Edge(source="in", target="out"),
    )
    graph = Graph(nodes=nodes, edges=edges, routers=(router("r", "in", 1, x=X),))
    assert can_die(graph) == {"a", "b"}
