"""IR -> the shapes it does not store: the inputs of nodes and routers, the output of edges."""

from __future__ import annotations

from dagdsl.ir.nodes import Edge, Graph, Node, Router, Shape, Step
from dagdsl.ops.merge import merge_shape


def output_of(step: Step) -> Shape:
    """The output shape of a step."""
    return step.nodes[-1].shape if isinstance(step, Graph) else step.shape


def carried_by(edge: Edge, graph: Graph) -> Shape:
    """The shape that an edge carries to its target."""
    return output_of(edge.steps[-1]) if edge.steps else graph.node(edge.source).shape


def input_of(node: Node, graph: Graph) -> Shape:
    """The input shape of a node's steps: its merged incoming edges. For an `in`, its own shape.

    Raises ValueError if the edges do not fit together or if there are none.
    """
    if node.kind == "in":
        return node.shape
    shapes = [carried_by(edge, graph) for edge in graph.edges_into(node.name)]
    merged = merge_shape(node.merge, shapes) if shapes else 0
    if isinstance(merged, int):
        raise ValueError(f"the incoming edges of `{node.name}` do not fit together")
    return merged


def read_by(router: Router, graph: Graph) -> Shape:
    """The shape that a router reads. Empty if it reads nothing."""
    if router.vertex is None:
        return ()
    if router.reads == "target":
        return carried_by(graph.edges_into(router.vertex)[0], graph)
    return graph.node(router.vertex).shape
