"""Descriptions of parts of the IR, for the docstrings of an emitted file."""

from __future__ import annotations

from collections import defaultdict

from dagdsl.analysis.cost import cost_of_net
from dagdsl.ir.nodes import Graph, Net, Output, Shape
from dagdsl.ir.paths import graphs_in
from dagdsl.ops.spec import format_shape

_MAX_ROWS = 32


def transition(x: Shape, y: Shape) -> str:
    """Input and output shape: `3 x 32 x 32 to 24 x 16 x 16`, or `24 x 16 x 16` if they agree."""
    return format_shape(y) if x == y else f"{format_shape(x)} to {format_shape(y)}"


def counts(graph: Graph) -> str:
    """The size of a graph: `4 nodes, 15 edges (14 gated), 5 routers`."""
    inner = [node for node in graph.nodes if node.kind in ("node", "stage")]
    gated = sum(edge.gate is not None for edge in graph.edges)
    text = f"{_plural(len(inner), 'node')}, {_plural(len(graph.edges), 'edge')}"
    if gated:
        text += f" ({gated} gated), {_plural(len(graph.routers), 'router')}"
    return text


def graph(graph: Graph) -> tuple[str, ...]:
    """The size of a graph, then a line for each source and router: `a -> b, c via gate_a`.

    Consecutive nodes without branches share a line: `image -> stem -> s1`.
    """
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
        # The line continues while its last node has one incoming and one outgoing edge.
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
    """An output and its taps: `logits`, or `features (p3, p4)`."""
    if isinstance(output.value, str):
        return output.name
    return f"{output.name} ({', '.join(output.value)})"


def elements(net: Net) -> str:
    """The size of a net: `2 stages, 9 nodes, 25 edges (20 gated), 5 routers, 12,345 parameters`."""
    costs = cost_of_net(net)
    routers = sum(len(graph.routers) for graph in graphs_in((net.graph,)))
    gated = f" ({costs.gated_edges} gated)" if costs.gated_edges else ""
    return ", ".join(
        [
            _plural(len(net.stages), "stage"),
            _plural(costs.nodes, "node"),
            _plural(costs.edges, "edge") + gated,
            _plural(routers, "router"),
            _plural(costs.parameters, "parameter"),
        ]
    )


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
