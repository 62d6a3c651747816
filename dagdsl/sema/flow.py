"""A built graph -> reports of nodes that nothing leads to and nodes that lead nowhere."""

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
    """Report nodes nothing leads to and nodes that lead nowhere (`returned` ones may)."""
    if wiring.incomplete or context.broken_syntax:
        return  # what is missing may be what was left out
    fed = {edge.target for edge in graph.edges}
    ends_nowhere = bool(graph.nodes) and graph.nodes[-1].kind == "out" and "out" not in fed
    feeding = {edge.source for edge in graph.edges} | set(returned)
    for node in graph.nodes:
        origin = node.origin or at
        if node.kind == "out" and node.name not in fed:
            context.sink.error(
                "DG0509",
                at,
                f"nothing leads to the `out` of {what}",
                label="gives nothing",
                help="wire the last node to `out`, or use `connect complete` or `connect chain`",
            )
        elif node.kind != "in" and node.name not in fed:
            context.sink.error(
                "DG0502",
                origin,
                f"nothing leads to `{node.name}`",
                label="no edge arrives here",
                help=f"wire it: `... -> {node.name}`",
            )
        elif node.name not in feeding and not ends_nowhere:
            verb = "is read by nothing" if node.kind == "in" else "leads nowhere"
            context.sink.warning(
                "DG0503",
                origin,
                f"`{node.name}` {verb}",
                label="no edge leaves here",
                help=f"wire it: `{node.name} -> ...`, or take it out",
            )
