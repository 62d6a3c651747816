"""Moves nodes of a graph into a graph of their own, and a call into their place."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

from torch import fx


def extract_subgraph(
    members: Sequence[fx.Node], results: Sequence[fx.Node]
) -> tuple[fx.Graph, list[fx.Node]]:
    """Copy nodes, given in order, into a new graph; return it and its inputs in the old one.

    The new graph takes the values that `members` read from outside and returns the values of
    `results`, some of the members, as a tuple. Its nodes keep their names and provenance. The old
    graph is not changed: see `replace_by_call`.
    """
    inside = dict.fromkeys(members)
    inputs = dict.fromkeys(
        used for node in members for used in node.all_input_nodes if used not in inside
    )
    body, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for x in inputs:
        copies[x] = body.placeholder(x.name)
        copies[x].meta.update(x.meta)
    for node in members:
        copies[node] = body.node_copy(node, copies.__getitem__)
    output = body.output(tuple(copies[node] for node in results))
    output.meta.update(members[-1].meta)
    return body, list(inputs)


def replace_by_call(
    call: fx.Node, replaced: Sequence[fx.Node], erased: Iterable[fx.Node], suffix: str
) -> None:
    """Replace each node by `getitem(call, i)`, and erase nodes, given with readers first.

    The new nodes directly follow `call` and have the provenance of the nodes they replace.
    """
    at = call
    for i, node in enumerate(replaced):
        with call.graph.inserting_after(at):
            at = call.graph.create_node(
                "call_function", operator.getitem, (call, i), name=f"{node.name}_{suffix}"
            )
        at.meta.update(node.meta)
        node.replace_all_uses_with(at)
    for node in erased:
        call.graph.erase_node(node)
