"""IR -> the MACs to be expected of a sample if chance decides which edges are open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from dagdsl.analysis.cost import cost_of_edge, cost_of_steps
from dagdsl.analysis.liveness import closable, keeps_strongest
from dagdsl.analysis.shapes import input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Graph, Net, Op, Shape, Step

State = frozenset[tuple[frozenset[tuple[str, bool]], int]]
"""The live nodes so far by the edges they have yet to feed (target, may close?), and how many."""


def expected_macs(net: Net, rate: float) -> float:
    """The mean if each gate that can close is open with probability `rate`, whatever others are.

    Exact, but for what edges cost that `keep_strongest` reopens. A node that no open edge reaches
    is not computed; one that nobody reads is.
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
    """How probable it is that some open edge of a live node leads to each node.

    Live nodes that have the same edges ahead are only counted: in a complete DAG that leaves as
    many cases as nodes, where there are two to the power of these.
    """
    ahead: dict[str, set[tuple[str, bool]]] = defaultdict(set)
    for edge in graph.edges:
        may_close = closable(graph, edge) and not keeps_strongest(graph, edge)
        ahead[edge.source].add((edge.target, may_close))
    states: dict[State, float] = {frozenset(): 1.0}
    found: dict[str, float] = {}
    for node in graph.nodes:
        after: dict[State, float] = defaultdict(float)
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
    state: State, node: str, rate: float
) -> tuple[Counter[frozenset[tuple[str, bool]]], float]:
    """What a state is behind a node, and how probable it is that it leaves the node dead."""
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
