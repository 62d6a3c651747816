"""Reorders a graph to lower its peak memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import SHAPE

PEAK_RATIO = 0.99
"""Use a new order if its peak is at most this fraction of the old one."""


@dataclass(frozen=True, slots=True)
class OrderForMemory:
    """Order nodes so that fewer of their outputs are live at once.

    Greedy: of the nodes that can run next, take the one that adds least or frees most memory. The
    order is kept if its peak is lower by at least one per cent. For graphs whose regions have not
    been grouped or outlined.
    """

    name: ClassVar[str] = "order_for_memory"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        graph = module.graph
        body = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
        output = graph.output_node()
        found = _least_first(body)
        before, after = peak(body), peak(found)
        if after <= PEAK_RATIO * before:
            for node in found:
                output.prepend(node)
            yield did(output, f"a sample takes {_shown(after)} at most, {_shown(before)} before")
        else:
            yield did_not(output, f"a sample takes {_shown(before)} at most: no order is better")


def peak(order: Sequence[fx.Node]) -> int:
    """The largest count of numbers per sample that are live at once when nodes run in an order.

    The output of a node is live from the time it runs until the last of its readers has run.
    """
    at = {node: i for i, node in enumerate(order)}
    ends: dict[int, int] = {}
    most = alive = 0
    for i, node in enumerate(order):
        alive += size(node)
        most = max(most, alive)
        # Outputs of the graph have no reader in the order, so they stay live.
        last = max((at.get(user, len(order)) for user in node.users), default=i)
        ends[last] = ends.get(last, 0) + size(node)
        alive -= ends.pop(i, 0)
    return most


def size(node: fx.Node) -> int:
    """The count of numbers per sample in the output of a node; constants and routers count 0."""
    return math.prod(node.meta[SHAPE]) if SHAPE in node.meta and node.op != "get_attr" else 0


def _least_first(order: Sequence[fx.Node]) -> list[fx.Node]:
    at = {node: i for i, node in enumerate(order)}
    unread = {node: len(node.users) for node in order}
    waits = {node: sum(x in at for x in node.all_input_nodes) for node in order}
    ready: list[tuple[int, int]] = []

    def offer(node: fx.Node) -> None:
        frees = sum(size(x) for x in node.all_input_nodes if unread.get(x) == 1)
        heappush(ready, (size(node) - frees, at[node]))

    for node in order:
        if not waits[node]:
            offer(node)
    done: dict[fx.Node, None] = {}
    while ready:
        node = order[heappop(ready)[1]]
        if node in done:  # pushed again when it could free more
            continue
        done[node] = None
        for x in node.all_input_nodes:
            if x in at:
                unread[x] -= 1
                if unread[x] == 1:
                    (last,) = (user for user in x.users if user not in done)
                    if last in at and not waits[last]:
                        offer(last)
        for user in node.users:
            if user in at:
                waits[user] -= 1
                if not waits[user]:
                    offer(user)
    return list(done)


def _shown(numbers: int) -> str:
    return f"{4 * numbers:,} bytes (float32)"
