"""IR -> parameters and MACs per sample, with all edges open and with all closable ones closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod

from dagdsl.analysis.liveness import jointly_closable, may_be_dead, may_be_unneeded
from dagdsl.analysis.shapes import carried_by, input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Op, Shape, Step
from dagdsl.ops.catalogue import OPS


@dataclass(frozen=True, slots=True)
class CostSummary:
    """Parameters and MACs (multiply-adds) of a graph, per sample.

    `macs` assumes that all edges are open. `least_macs` assumes that every edge that can close is
    closed, and leaves out the nodes that are then not computed. Which edges a top-k closes is not
    known in advance, so it counts all of them as open.
    MACs include convolutions, fully connected layers and weighted sums. `router_*` is the share of
    the routers, `sum_macs` the share of the weighted sums.

    >>> import dagdsl
    >>> net = dagdsl.loads("net N { input x: f32[4]  node y: fc(2)  x -> y  output y }")
    >>> costs = dagdsl.costs(net)
    >>> costs.parameters, costs.macs
    (10, 8)
    """

    parameters: int = 0
    macs: int = 0
    least_macs: int = 0
    router_parameters: int = 0
    router_macs: int = 0
    sum_macs: int = 0
    nodes: int = 0
    edges: int = 0
    gated_edges: int = 0

    def __add__(self, other: CostSummary) -> CostSummary:
        # Written out for speed: a net sums thousands of these.
        return CostSummary(
            self.parameters + other.parameters,
            self.macs + other.macs,
            self.least_macs + other.least_macs,
            self.router_parameters + other.router_parameters,
            self.router_macs + other.router_macs,
            self.sum_macs + other.sum_macs,
            self.nodes + other.nodes,
            self.edges + other.edges,
            self.gated_edges + other.gated_edges,
        )


def cost_of_net(net: Net) -> CostSummary:
    """Return the cost of a whole net.

    >>> import dagdsl
    >>> cost = cost_of_net(dagdsl.load("std/models/resnet.dg", net="resnet50"))
    >>> cost.parameters, cost.macs
    (25557032, 4089184256)
    """
    return cost_of_graph(net.graph, frozenset(n for output in net.outputs for n in output.nodes))


def cost_of_node(node: Node, graph: Graph) -> CostSummary:
    """Return the cost of the steps of one node of `graph`."""
    return cost_of_steps(node.steps, input_of(node, graph))


def cost_of_graph(graph: Graph, ends: frozenset[str] = frozenset()) -> CostSummary:
    """Return the cost of a graph: its nodes, routers, edges and weighted sums.

    `nodes` and `edges` include those of the graphs inside its nodes. Ports and stages do not count
    as nodes. `ends` are the nodes read from outside the graph, besides its `out`.
    """
    # The nodes that are skipped for some sample: no open incoming edge, or no open outgoing edge.
    skippable = may_be_dead(graph, jointly_closable) | may_be_unneeded(
        graph, ends, jointly_closable
    )
    total = CostSummary()
    for node in graph.nodes:
        total += _if_always(cost_of_node(node, graph), node.name not in skippable)
    nodes = sum(node.kind == "node" for node in graph.nodes)
    gated = weighted = least_weighted = 0
    for edge in graph.edges:
        always_open = skippable.isdisjoint((edge.source, edge.target)) and not jointly_closable(
            graph, edge
        )
        if edge.steps:
            total += _if_always(
                cost_of_steps(edge.steps, graph.node(edge.source).shape), always_open
            )
        if edge.gate is not None:
            macs = macs_of_weighting(edge, graph)
            gated += 1
            weighted += macs
            least_weighted += macs if always_open else 0
    total += CostSummary(
        macs=weighted,
        least_macs=least_weighted,
        sum_macs=weighted,
        nodes=nodes,
        edges=len(graph.edges),
        gated_edges=gated,
    )
    for router in graph.routers:
        cost = cost_of_steps(router.steps, read_by(router, graph))
        may_be_skipped = router.vertex in skippable
        total += _if_always(
            CostSummary(
                cost.parameters,
                cost.macs,
                cost.least_macs,
                router_parameters=cost.parameters,
                router_macs=cost.macs,
            ),
            not may_be_skipped,
        )
    return total


def cost_of_steps(steps: Iterable[Step], x: Shape) -> CostSummary:
    """Return the cost of steps applied to an input of shape `x`."""
    parameters = macs = 0
    inner = CostSummary()
    for step in steps:
        match step:
            case Op():
                cost = OPS[step.op].cost(x, step.shape, step.params)
                parameters += cost.parameters
                macs += cost.macs
            case Block():
                inner += cost_of_steps(step.steps, x)
            case Graph():
                inner += cost_of_graph(step)
        x = output_of(step)
    return inner + CostSummary(parameters, macs, macs)


def cost_of_edge(edge: Edge, graph: Graph) -> CostSummary:
    """Return the cost of an edge: its steps and its weighting."""
    macs = macs_of_weighting(edge, graph)
    body = cost_of_steps(edge.steps, graph.node(edge.source).shape)
    return body + CostSummary(macs=macs, least_macs=macs, sum_macs=macs, edges=1)


def macs_of_weighting(edge: Edge, graph: Graph) -> int:
    """The MACs of weighting an edge: one per feature if it is gated, else none."""
    return prod(carried_by(edge, graph)) if edge.gate is not None else 0


def _if_always(cost: CostSummary, always_runs: bool) -> CostSummary:
    """`cost` itself if the element always runs, else `cost` without `least_macs`."""
    return cost if always_runs or not cost.least_macs else replace(cost, least_macs=0)
