"""Expected MACs, compared with an enumeration of all gate states of a small net."""

from __future__ import annotations

from itertools import product

import pytest

import dagdsl
from dagdsl.analysis.cost import cost_of_edge, cost_of_net, cost_of_node, cost_of_steps
from dagdsl.analysis.expected import expected_macs
from dagdsl.analysis.liveness import router_of
from dagdsl.analysis.shapes import read_by
from dagdsl.ir.nodes import Graph, Net, inner_graph

NET = """
router gate = reads("{reads}") |> gap |> fc |> sigmoid |> threshold(0.3, dead = "{dead}")
net N {{
  input image: f32[4, 8, 8]
  stage s {{ {body} }}
  image -> s
  output s
}}
"""
COMPLETE = "node n[3]: conv |> bn connect complete via gate"
MIXED = """
  node a: conv |> bn
  node b: conv(kernel = 1) |> relu
  node c: conv |> relu
  in -> a
  in, a -> b via gate
  a, b -> c via gate
  b -> out
  c -> out via gap |> fc |> sigmoid
"""


def net_of(body: str, reads: str = "source", dead: str = "zero") -> Net:
    return dagdsl.loads(NET.format(body=body, reads=reads, dead=dead))


def stage(net: Net) -> Graph:
    graph = inner_graph(net.graph.node("s"))
    assert graph is not None
    return graph


def by_hand(graph: Graph, rate: float) -> float:
    """Return the mean over all gate states, each simulated edge by edge."""
    gated = [
        edge for edge in graph.edges if (r := router_of(graph, edge)) and r.threshold is not None
    ]
    total = 0.0
    for fall in product([True, False], repeat=len(gated)):
        closed = {
            (e.source, e.target) for e, is_open in zip(gated, fall, strict=True) if not is_open
        }
        chance = rate ** sum(fall) * (1 - rate) ** (len(fall) - sum(fall))
        alive = {"in"}
        macs = 0
        for node in graph.nodes[1:]:
            into = [
                edge
                for edge in graph.edges_into(node.name)
                if edge.source in alive and (edge.source, edge.target) not in closed
            ]
            if into:
                alive.add(node.name)
                macs += cost_of_node(node, graph).macs
            macs += sum(cost_of_edge(edge, graph).macs for edge in into)
        for router in graph.routers:
            if router.vertex is None or router.vertex in alive:
                macs += cost_of_steps(router.steps, read_by(router, graph)).macs
        total += chance * macs
    return total


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(
    ("body", "reads"),
    [(COMPLETE, "source"), (COMPLETE, "target"), (COMPLETE, "stage"), (MIXED, "source")],
)
def test_against_all_gate_states(body: str, reads: str, rate: float) -> None:
    net = net_of(body, reads)
    assert expected_macs(net, rate) == pytest.approx(by_hand(stage(net), rate))


@pytest.mark.parametrize("body", [COMPLETE, MIXED])
def test_the_ends(body: str) -> None:
    net = net_of(body)
    assert expected_macs(net, 1.0) == cost_of_net(net).macs
    assert expected_macs(net, 0.0) == cost_of_net(net).least_macs


def test_no_node_dies_where_the_strongest_is_kept() -> None:
    net = net_of(COMPLETE, dead="keep_strongest")
    nodes = sum(cost_of_node(node, stage(net)).macs for node in stage(net).nodes)
    assert expected_macs(net, 0.0) == nodes + cost_of_net(net).router_macs


def test_a_static_net_has_its_macs_at_any_rate() -> None:
    net = dagdsl.load("std/models/resnet.dg", net="resnet18")
    assert expected_macs(net, 0.3) == cost_of_net(net).macs
