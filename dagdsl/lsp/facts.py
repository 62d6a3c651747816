"""Elaborated nets -> the IR elements that each piece of text stands for.

One piece of text may stand for many elements: a node array, or a block used in several places.
Nets may be incomplete, because the text has errors: then shapes are empty.
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
    """A node, its graph, and its full name: `DGNet.s1.n[0]`."""

    where: str
    node: Node
    graph: Graph

    @property
    def costs(self) -> CostSummary | None:
        """The costs of its steps, or None if a shape in it is unknown."""
        if not (_input(self.node, self.graph) and _known(self.node.steps)):
            return None
        return cost_of_node(self.node, self.graph)


@dataclass(frozen=True, slots=True)
class StepFact:
    """An op or a block applied to an input of shape `x`."""

    x: Shape
    step: Op | Block

    @property
    def costs(self) -> CostSummary | None:
        """The costs, or None if a shape in it is unknown."""
        return cost_of_steps([self.step], self.x) if self.x and _known([self.step]) else None


@dataclass(slots=True)
class Facts:
    """The elements that each piece of text stands for, keyed by file name and start offset."""

    nodes: dict[tuple[str, int], list[NodeFact]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[tuple[str, int], list[StepFact]] = field(default_factory=lambda: defaultdict(list))

    def steps_at(self, occurrence: Occurrence) -> list[StepFact]:
        """The ops or blocks whose text starts with this name."""
        return self.steps.get((occurrence.span.file.name, occurrence.start), [])


def facts_of(nets: Iterable[Net]) -> Facts:
    """Return the elements of some nets, by the text they come from."""
    facts = Facts()
    for net in nets:
        _add_graph(net.graph, net.name, facts)
    return facts


def _add_graph(graph: Graph, where: str, facts: Facts) -> None:
    for node in graph.nodes:
        here = f"{where}.{node.name}"
        # The origin of a port is the whole stage or block.
        if node.origin is not None and node.name not in ("in", "out"):
            span = node.origin.span
            facts.nodes[span.file.name, span.start].append(NodeFact(here, node, graph))
        _add_steps(node.steps, _input(node, graph), here, facts)
    for edge in graph.edges:
        _add_steps(edge.steps, graph.node(edge.source).shape, where, facts)
    for router in graph.routers:
        _add_steps(router.steps, read_by(router, graph), where, facts)


def _input(node: Node, graph: Graph) -> Shape:
    """The input shape of a node's steps, or `()` if it is unknown."""
    try:
        return input_of(node, graph) if _is_fed(node, graph) else ()
    except ValueError:
        return ()


def _is_fed(node: Node, graph: Graph) -> bool:
    """Whether the shapes on all incoming edges of a node are known."""
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
