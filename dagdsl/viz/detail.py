"""A net -> the body of one of its blocks as a net, so that it can be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagdsl.analysis.shapes import output_of
from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Output, Step


def block_net(net: Net, name: str) -> Net:
    """Return a net of an input and the block, as a stage. Raises KeyError for an unknown name."""
    body = dict(reversed(list(_bodies(net.graph))))[name]
    shape = body.nodes[0].shape
    nodes = (
        Node(kind="in", name="input", shape=shape),
        Node(kind="stage", name=name, steps=(body,), shape=output_of(body)),
    )
    graph = Graph(nodes=nodes, edges=(Edge(source="input", target=name),))
    return Net(name=name, graph=graph, outputs=(Output(name="output", value=name),))


def block_names(net: Net) -> tuple[str, ...]:
    """Return the names of the blocks that have a graph as body, in order of appearance."""
    return tuple(dict.fromkeys(name for name, _ in _bodies(net.graph)))


def _bodies(graph: Graph) -> Iterator[tuple[str, Graph]]:
    for steps in [e.steps for e in graph.nodes] + [e.steps for e in graph.edges]:
        yield from _bodies_in(steps)


def _bodies_in(steps: Sequence[Step]) -> Iterator[tuple[str, Graph]]:
    for step in steps:
        if isinstance(step, Graph):
            yield from _bodies(step)
        elif isinstance(step, Block):
            if len(step.steps) == 1 and isinstance(step.steps[0], Graph):
                yield step.name, step.steps[0]
            yield from _bodies_in(step.steps)
