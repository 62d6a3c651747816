"""IR -> parameters and MACs, per sample, with all edges open and with all that can close closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod

from dagdsl.analysis.liveness import all_closable, can_die, can_idle
from dagdsl.analysis.shapes import carried_by, input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Op, Shape, Step
from dagdsl.ops.catalogue import OPS


@dataclass(frozen=True, slots=True)
class Costs:
    """`macs` with all edges open, `least_macs` with every edge closed that can close.

    Nodes that are not computed then are not counted; which edges a top-k leaves open cannot be
    said, so all of them are.
    A MAC is one multiply-add; those of convolutions, fully connected layers and weighted sums are
    counted. `router_*` are the routers' share of the totals.
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

    def __add__(self, other: Costs) -> Costs:
        # Written out: a net is the sum of thousands of these.
        return Costs(
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


def cost_of_net(net: Net) -> Costs:
    """The costs of a whole net."""
    return cost_of_graph(net.graph, frozenset(n for output in net.outputs for n in output.nodes))


def cost_of_node(node: Node, graph: Graph) -> Costs:
    """The costs of the steps of one node of `graph`."""
    return cost_of_steps(node.steps, input_of(node, graph))


def cost_of_graph(graph: Graph, ends: frozenset[str] = frozenset()) -> Costs:
    """The costs of a graph: its nodes, routers, edges and weighted sums.

    `nodes` and `edges` count those of the graph and of the graphs inside its nodes; ports and
    stages themselves are not counted as nodes. `ends` are the nodes that are read from outside of
    the graph, besides its `out`.
    """
    # Not computed in some sample: without an open edge into them, or with none out of them.
    dying = can_die(graph, all_closable) | can_idle(graph, ends, all_closable)
    total = Costs()
    for node in graph.nodes:
        total += _always(cost_of_node(node, graph), node.name not in dying)
    nodes = sum(node.kind == "node" for node in graph.nodes)
    gated = weighted = least_weighted = 0
    for edge in graph.edges:
        alive = dying.isdisjoint((edge.source, edge.target)) and not all_closable(graph, edge)
        if edge.steps:
            total += _always(cost_of_steps(edge.steps, graph.node(edge.source).shape), alive)
        if edge.gate is not None:
            macs = macs_of_weighting(edge, graph)
            gated += 1
            weighted += macs
            least_weighted += macs if alive else 0
    total += Costs(
        macs=weighted,
        least_macs=least_weighted,
        sum_macs=weighted,
        nodes=nodes,
        edges=len(graph.edges),
        gated_edges=gated,
    )
    for router in graph.routers:
        cost = cost_of_steps(router.steps, read_by(router, graph))
        reads_dead = router.vertex in dying
        total += _always(
            Costs(
                cost.parameters,
                cost.macs,
                cost.least_macs,
                router_parameters=cost.parameters,
                router_macs=cost.macs,
            ),
            not reads_dead,
        )
    return total


def cost_of_steps(steps: Iterable[Step], x: Shape) -> Costs:
    """The costs of steps applied to an input of shape `x`."""
    parameters = macs = 0
    inner = Costs()
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
    return inner + Costs(parameters, macs, macs)


def cost_of_edge(edge: Edge, graph: Graph) -> Costs:
    """What an edge does to what it carries, and its weighting."""
    macs = macs_of_weighting(edge, graph)
    body = cost_of_steps(edge.steps, graph.node(edge.source).shape)
    return body + Costs(macs=macs, least_macs=macs, sum_macs=macs, edges=1)


def macs_of_weighting(edge: Edge, graph: Graph) -> int:
    """One multiply-add for each feature that a gated edge brings."""
    return prod(carried_by(edge, graph)) if edge.gate is not None else 0


def _always(cost: Costs, runs: bool) -> Costs:
    """The same costs; without `least_macs` if what they are of need not run."""
    return cost if runs or not cost.least_macs else replace(cost, least_macs=0)
