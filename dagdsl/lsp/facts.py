"""Nets as far as they were understood -> what an editor can say about the text they came from.

A piece of text may stand for many elements: a node array, a block that is used in several places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from dagdsl.analysis.cost import CostSummary, cost_of_node, cost_of_steps
from dagdsl.analysis.shapes import carried_by, input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Graph, Net, Node, Op, Shape, Step
from dagdsl.lsp.symbols import Occurrence


@dataclass(frozen=True, slots=True)
class NodeFact:
    """A node, the graph it stands in, and the names that lead there: `DGNet.s1.n[0]`."""

    where: str
    node: Node
    graph: Graph

    @property
    def costs(self) -> CostSummary | None:
        """What its steps cost; None while a shape in it is unknown."""
        if not (_input(self.node, self.graph) and _known(self.node.steps)):
            return None
        return cost_of_node(self.node, self.graph)


@dataclass(frozen=True, slots=True)
class StepFact:
    """An op or a block that is applied to features of shape `x`."""

    x: Shape
    step: Op | Block

    @property
    def costs(self) -> CostSummary | None:
        """What it costs; None while a shape in it is unknown."""
        return cost_of_steps([self.step], self.x) if self.x and _known([self.step]) else None


@dataclass(slots=True)
class Facts:
    """The elements that each piece of text stands for, by its file and where it starts."""

    nodes: dict[tuple[str, int], list[NodeFact]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[tuple[str, int], list[StepFact]] = field(default_factory=lambda: defaultdict(list))

    def steps_at(self, occurrence: Occurrence) -> list[StepFact]:
        """The ops or blocks that a name stands for, which is the first thing in their text."""
        return self.steps.get((occurrence.span.file.name, occurrence.start), [])


def facts_of(nets: Iterable[Net]) -> Facts:
    """What is known about the text of some nets."""
    facts = Facts()
    for net in nets:
        _add_graph(net.graph, net.name, facts)
    return facts


def _add_graph(graph: Graph, where: str, facts: Facts) -> None:
    for node in graph.nodes:
        here = f"{where}.{node.name}"
        # The ports of a stage or a block have the place of the whole.
        if node.origin is not None and node.name not in ("in", "out"):
            span = node.origin.span
            facts.nodes[span.file.name, span.start].append(NodeFact(here, node, graph))
        _add_steps(node.steps, _input(node, graph), here, facts)
    for edge in graph.edges:
        _add_steps(edge.steps, graph.node(edge.source).shape, where, facts)
    for router in graph.routers:
        _add_steps(router.steps, read_by(router, graph), where, facts)


def _input(node: Node, graph: Graph) -> Shape:
    """The shape that enters a node's steps; empty where it is not known."""
    try:
        return input_of(node, graph) if _is_fed(node, graph) else ()
    except ValueError:
        return ()


def _is_fed(node: Node, graph: Graph) -> bool:
    """Whether the shape of all that enters a node is known."""
    return all(carried_by(edge, graph) for edge in graph.edges_into(node.name))


def _add_steps(steps: Iterable[Step], x: Shape, where: str, facts: Facts) -> None:
    for step in steps:
        if isinstance(step, Graph):
            _add_graph(step, where, facts)
        else:
            if step.origin is not None:
                span = step.origin.span
                facts.steps[span.file.name, span.start].append(StepFact(x, step))
            if isinstance(step, Block):
                _add_steps(step.steps, x, where, facts)
        x = output_of(step)


def _known(steps: Iterable[Step]) -> bool:
    """Whether every shape in some steps is known."""
    for step in steps:
        match step:
            case Op():
                known = bool(step.shape)
            case Block():
                known = bool(step.shape) and _known(step.steps)
            case Graph():
                known = (
                    all(node.shape and _known(node.steps) for node in step.nodes)
                    and all(_known(edge.steps) for edge in step.edges)
                    and all(_known(router.steps) for router in step.routers)
                )
        if not known:
            return False
    return True
