"""Graph -> the shapes that the IR leaves to be worked out: of merges, of edges, of what is read."""

from __future__ import annotations

from dagdsl.ir.nodes import Edge, Graph, Node, Router, Shape, Step
from dagdsl.ops.merge import merge_shape
from dagdsl_compiler.lower.modules import vertex_read


def result(step: Step) -> Shape:
    """The shape of what a step gives."""
    return step.nodes[-1].shape if isinstance(step, Graph) else step.shape


def carried(graph: Graph, edge: Edge) -> Shape:
    """The shape of what an edge carries."""
    return result(edge.steps[-1]) if edge.steps else graph.node(edge.source).shape


def merged(graph: Graph, node: Node) -> Shape:
    """The shape of what enters the steps of a node. Raises ValueError where shapes disagree."""
    edges = graph.edges_into(node.name)
    if not edges:
        return node.shape
    shape = merge_shape(node.merge, [carried(graph, edge) for edge in edges])
    if isinstance(shape, int):
        raise ValueError(f"the shapes of the in-edges of {node.name!r} disagree")
    return shape


def read(graph: Graph, router: Router) -> Shape:
    """The shape of what a router reads; empty for nothing."""
    if router.reads == "nothing":
        return ()
    if router.reads == "target" and router.vertex is not None:
        return carried(graph, graph.edges_into(router.vertex)[0])
    return graph.node(vertex_read(graph, router)).shape
