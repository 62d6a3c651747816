"""`may_be_dead` against brute force over all combinations of open and closed gates."""

from __future__ import annotations

from itertools import product

import pytest

import dagdsl
from dagdsl.analysis.liveness import (
    closable,
    jointly_closable,
    keeps_strongest,
    may_be_dead,
    may_be_unneeded,
)
from dagdsl.ir.nodes import Block, Edge, Gate, Graph, Node
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
        graph = graph.replace(edges=graph.edges[:12])
    assert may_be_dead(graph) == brute_force(graph)


def test_complete_stages() -> None:
    assert may_be_dead(complete(2)) == {"n[0]", "n[1]", "out"}
    assert may_be_dead(complete(2, dead="keep_strongest")) == frozenset()
    assert may_be_dead(complete(2, threshold=None)) == frozenset()


def test_an_ungated_edge_from_a_dead_node_does_not_keep_its_target_alive() -> None:
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
    assert may_be_dead(graph) == {"a", "b"}


BLOCK = """
router early = reads("stage") |> gap |> fc |> sigmoid |> threshold(0.5)
router late  = gap |> fc |> sigmoid |> threshold(0.5)
router top   = reads("stage") |> gap |> fc |> softmax |> topk(1)
block branch {
  node a, b: conv
  in -> a -> b
  in -> out
  b -> out via GATE
}
net N { input x: f32[4, 8, 8] node n: branch x -> n output n }
"""


@pytest.mark.parametrize(
    ("gate", "idle"), [("early", {"a", "b"}), ("late", set()), ("top", {"a", "b"})]
)
def test_nodes_that_may_be_unneeded(gate: str, idle: set[str]) -> None:
    block = dagdsl.loads(BLOCK.replace("GATE", gate)).graph.node("n").steps[0]
    assert isinstance(block, Block)
    graph = block.steps[0]
    assert isinstance(graph, Graph)
    assert may_be_unneeded(graph, ()) == idle
    assert may_be_unneeded(graph, ["a"]) == idle - {"a"}
    # A top-k never closes all edges at once.
    assert may_be_unneeded(graph, (), jointly_closable) == (set() if gate == "top" else idle)
