"""Ways through the IR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagdsl.ir.nodes import Block, Graph, Step


def graphs_in(steps: Iterable[Step]) -> Iterator[Graph]:
    """All graphs among the steps, and those inside them: of a net, `graphs_in((net.graph,))`."""
    for step in steps:
        if isinstance(step, Graph):
            yield step
            for node in step.nodes:
                yield from graphs_in(node.steps)
            for edge in step.edges:
                yield from graphs_in(edge.steps)
        elif isinstance(step, Block):
            yield from graphs_in(step.steps)
