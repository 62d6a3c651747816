"""Graph -> diagnostics of nodes without incoming or outgoing edges."""

from __future__ import annotations

from collections.abc import Iterable

from dagdsl.ir.nodes import Graph
from dagdsl.sema.context import Context
from dagdsl.sema.vertices import Wiring
from dagdsl.source import Origin


def check_flow(
    graph: Graph,
    wiring: Wiring,
    what: str,
    context: Context,
    at: Origin,
    returned: Iterable[str] = ("out",),
) -> None:
    """Report nodes without incoming edges, and nodes without outgoing ones unless `returned`."""
    if wiring.incomplete or context.broken_syntax:
        return  # the missing edge may have been dropped after an error
    fed = {edge.target for edge in graph.edges}
    ends_nowhere = bool(graph.nodes) and graph.nodes[-1].kind == "out" and "out" not in fed
    feeding = {edge.source for edge in graph.edges} | set(returned)
    for node in graph.nodes:
        origin = node.origin or at
        if node.kind == "out" and node.name not in fed:
            context.sink.error(
                "DG0509",
                at,
                f"no edge leads to the `out` of {what}",
                label="has no output",
                help="wire the last node to `out`, or use `connect complete` or `connect chain`",
            )
        elif node.kind != "in" and node.name not in fed:
            context.sink.error(
                "DG0502",
                origin,
                f"no edge leads to `{node.name}`",
                label="no incoming edge",
                help=f"wire it: `... -> {node.name}`",
            )
        elif node.name not in feeding and not ends_nowhere:
            verb = "is never read" if node.kind == "in" else "leads nowhere"
            context.sink.warning(
                "DG0503",
                origin,
                f"`{node.name}` {verb}",
                label="no outgoing edge",
                help=f"wire it: `{node.name} -> ...`, or remove it",
            )
