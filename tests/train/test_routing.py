"""The rates of a stage against counts by hand."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from dagdsl.ir.nodes import inner_graph
from dagdsl.training.routing import RouteCounter, routed_graphs, without_thresholds
from dagdsl_compiler.driver import compile as compile_net
from tests.train.nets import tiny

CPU = torch.device("cpu")


def test_rates_against_counts_by_hand() -> None:
    # Nodes in, n[0], n[1], out; six gated edges.
    #         0>1 0>2 0>3 1>2 1>3 2>3
    samples = [
        (1, 1, 1, 1, 1, 1),
        (1, 0, 0, 0, 1, 0),  # n[1] is dead
        (0, 0, 0, 0, 0, 0),  # all is closed
    ]
    pairs = list(combinations(range(4), 2))
    routes = torch.zeros(3, 4, 4)
    for sample, edges in enumerate(samples):
        for (i, j), is_open in zip(pairs, edges, strict=True):
            routes[sample, i, j] = 0.7 * is_open
    counter = RouteCounter(tiny(), CPU)
    counter.add({"s1": routes[:2]})
    counter.add({"s1": routes[2:]})
    rates = counter.rates()["s1"]
    assert rates.open_edges == pytest.approx(8 / 18)
    assert rates.dead_nodes == pytest.approx(3 / 6)
    assert rates.unused_nodes == 0
    assert rates.closed_output == pytest.approx(1 / 3)
    apart = sum(
        a != b for one, other in combinations(samples, 2) for a, b in zip(one, other, strict=True)
    )
    assert rates.hamming_distance == pytest.approx(apart / (3 * 6))


def test_unused_node() -> None:
    routes = torch.zeros(2, 4, 4)
    routes[:, 0, 1] = routes[:, 0, 3] = 1  # n[0] is computed but not used
    counter = RouteCounter(tiny(), CPU)
    counter.add({"s1": routes})
    rates = counter.rates()["s1"]
    assert (rates.unused_nodes, rates.dead_nodes) == (1.0, 0.5)
    assert (rates.hamming_distance, rates.closed_output) == (0.0, 0.0)


def test_keys_match_the_routes_of_the_model() -> None:
    net = tiny()
    _, routes = compile_net(net, backend="eager")(torch.randn(2, 1, 8, 8), return_routes=True)
    assert routes.keys() == routed_graphs(net).keys() == {"s1"}
    assert routed_graphs(net)["s1"] == inner_graph(net.stages[0])


def test_without_thresholds_nothing_closes() -> None:
    net = tiny(init=-3.0)
    opened = without_thresholds(net)
    assert opened != net
    assert without_thresholds(opened) == opened
    closed_model = compile_net(net, backend="eager", seed=0).eval()
    open_model = compile_net(opened, backend="eager").eval()
    open_model.load_state_dict(closed_model.state_dict())
    images = torch.randn(4, 1, 8, 8)
    _, closed = closed_model(images, return_routes=True)
    _, routes = open_model(images, return_routes=True)
    assert not closed["s1"].any()
    assert (routes["s1"] > 0).sum() == 4 * 6
