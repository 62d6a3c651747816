"""IR -> the expected MACs per sample if edges open at random."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from dagdsl.analysis.cost import cost_of_edge, cost_of_steps
from dagdsl.analysis.liveness import closable, keeps_strongest
from dagdsl.analysis.shapes import input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Graph, Net, Op, Shape, Step

LiveNodes = frozenset[tuple[frozenset[tuple[str, bool]], int]]
"""The size of each group of live nodes that still have the same edges to feed. An edge is a pair
(target, may it close?)."""


def expected_macs(net: Net, rate: float) -> float:
    """Return the expected MACs if each gate that can close is open with probability `rate`.

    Gates are independent. The result is exact except for the cost of edges that `keep_strongest`
    reopens. A node without an open incoming edge is not computed; an unneeded node is.

    >>> import dagdsl
    >>> net = dagdsl.load("std/models/dg_resnet.dg", net="dg_resnet50")
    >>> print(f"{expected_macs(net, rate=0.5):.4g}, {expected_macs(net, rate=1.0):.4g}")
    2.866e+09, 3.994e+09
    """
    return _of_graph(net.graph, rate)


def _of_graph(graph: Graph, rate: float) -> float:
    alive = alive_probabilities(graph, rate)
    total = 0.0
    for node in graph.nodes:
        total += alive[node.name] * _of_steps(node.steps, input_of(node, graph), rate)
    for edge in graph.edges:
        is_open = rate if closable(graph, edge) else 1.0
        total += alive[edge.source] * is_open * cost_of_edge(edge, graph).macs
    for router in graph.routers:
        runs = 1.0 if router.vertex is None else alive[router.vertex]
        total += runs * cost_of_steps(router.steps, read_by(router, graph)).macs
    return total


def _of_steps(steps: Iterable[Step], x: Shape, rate: float) -> float:
    total = 0.0
    for step in steps:
        match step:
            case Op():
                total += cost_of_steps((step,), x).macs
            case Block():
                total += _of_steps(step.steps, x, rate)
            case Graph():
                total += _of_graph(step, rate)
        x = output_of(step)
    return total


def alive_probabilities(graph: Graph, rate: float) -> dict[str, float]:
    """Return for each node the probability that an open edge from a live node reaches it.

    Live nodes with the same edges ahead are interchangeable, so only their number is tracked. In a
    complete DAG this leaves n states instead of 2^n.
    """
    ahead: dict[str, set[tuple[str, bool]]] = defaultdict(set)
    for edge in graph.edges:
        may_close = closable(graph, edge) and not keeps_strongest(graph, edge)
        ahead[edge.source].add((edge.target, may_close))
    states: dict[LiveNodes, float] = {frozenset(): 1.0}
    found: dict[str, float] = {}
    for node in graph.nodes:
        after: dict[LiveNodes, float] = defaultdict(float)
        found[node.name] = 0.0
        for state, chance in states.items():
            live, dead = _passed(state, node.name, rate)
            dead = 0.0 if node.kind == "in" or not graph.edges_into(node.name) else dead
            if dead:
                after[frozenset(live.items())] += chance * dead
            if dead < 1:
                live.update([frozenset(ahead[node.name])] if ahead[node.name] else [])
                after[frozenset(live.items())] += chance * (1 - dead)
                found[node.name] += chance * (1 - dead)
        states = after
    return found


def _passed(
    state: LiveNodes, node: str, rate: float
) -> tuple[Counter[frozenset[tuple[str, bool]]], float]:
    """The state after `node` has been fed, and the probability that it leaves `node` dead."""
    live: Counter[frozenset[tuple[str, bool]]] = Counter()
    dead = 1.0
    for ahead, count in state:
        if (node, False) in ahead:
            dead = 0.0
        elif (node, True) in ahead:
            dead *= (1 - rate) ** count
        left = ahead - {(node, False), (node, True)}
        if left:
            live[left] += count
    return live, dead
