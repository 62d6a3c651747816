"""Parts of the IR -> what the docstrings of an emitted file say about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from dagdsl.ir.nodes import Block, Graph, Net, Op, Output, Shape, Step
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import format_shape
from dagdsl_compiler.emit.gates import graphs_of
from dagdsl_compiler.emit.shapes import merged, read, result

_MAX_ROWS = 32


def transition(x: Shape, y: Shape) -> str:
    """`24 x 16 x 16`, or `3 x 32 x 32 to 24 x 16 x 16`."""
    return format_shape(y) if x == y else f"{format_shape(x)} to {format_shape(y)}"


def counts(graph: Graph) -> str:
    """`4 nodes, 15 edges (14 gated), 5 routers`."""
    inner = [node for node in graph.nodes if node.kind in ("node", "stage")]
    gated = sum(edge.gate is not None for edge in graph.edges)
    text = f"{_plural(len(inner), 'node')}, {_plural(len(graph.edges), 'edge')}"
    if gated:
        text += f" ({gated} gated), {_plural(len(graph.routers), 'router')}"
    return text


def graph(graph: Graph) -> tuple[str, ...]:
    """How much there is of it, and a line for each source and router: `a -> b, c via gate_a`."""
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in graph.edges:
        via = f" via {edge.gate.router}" if edge.gate else ""
        rows[edge.source, via].append(edge.target)
    lines: list[str] = []
    before = None
    for (source, via), targets in rows.items():
        arrow = f" -> {', '.join(targets)}{via}"
        if lines and before == source and not via:
            lines[-1] += arrow
        else:
            lines.append(source + arrow)
        # A line goes on as long as nothing but it enters and leaves the node at its end.
        end = targets[-1]
        leaves = sum(row_source == end for row_source, _ in rows)
        alone = len(targets) == leaves == 1 and not via and len(graph.edges_into(end)) == 1
        before = end if alone else None
    more = len(lines) - _MAX_ROWS
    return (
        f"{counts(graph)}:",
        *lines[:_MAX_ROWS],
        *([f"... and {more} more"] if more > 0 else []),
    )


def output(output: Output) -> str:
    """`logits`, or `features (p3, p4)`."""
    if isinstance(output.value, str):
        return output.name
    return f"{output.name} ({', '.join(output.value)})"


def parameters(net: Net) -> int:
    """The number of parameters."""
    return _graph(net.graph)


def elements(net: Net) -> str:
    """`2 stages, 9 nodes, 25 edges (20 gated), 5 routers, 12,345 parameters`."""
    graphs = list(graphs_of((net.graph,)))
    nodes = sum(node.kind == "node" for graph in graphs for node in graph.nodes)
    edges = [edge for graph in graphs for edge in graph.edges]
    gated = sum(edge.gate is not None for edge in edges)
    return ", ".join(
        [
            _plural(len(net.stages), "stage"),
            _plural(nodes, "node"),
            _plural(len(edges), "edge") + (f" ({gated} gated)" if gated else ""),
            _plural(sum(len(graph.routers) for graph in graphs), "router"),
            _plural(parameters(net), "parameter"),
        ]
    )


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _graph(graph: Graph) -> int:
    return (
        sum(_steps(node.steps, merged(graph, node)) for node in graph.nodes if node.steps)
        + sum(_steps(e.steps, graph.node(e.source).shape) for e in graph.edges if e.steps)
        + sum(_steps(router.steps, read(graph, router)) for router in graph.routers)
    )


def _steps(steps: Iterable[Step], x: Shape) -> int:
    total = 0
    for step in steps:
        match step:
            case Op():
                total += OPS[step.op].cost(x, step.shape, step.params).parameters
            case Block():
                total += _steps(step.steps, x)
            case Graph():
                total += _graph(step)
        x = result(step)
    return total
