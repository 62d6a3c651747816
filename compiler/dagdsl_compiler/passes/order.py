"""The order in which a graph runs -> one in which less is alive at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import SHAPE

WORTH = 0.99
"""The share of its peak down to which another order has to bring a graph."""


@dataclass(frozen=True, slots=True)
class OrderForMemory:
    """Nodes run in an order in which fewer of their outputs are alive at once, if there is one.

    Of what can run next, it takes what adds least, or frees most; the result is taken if its peak
    is lower by a hundredth. For graphs whose regions stay as they are.
    """

    name: ClassVar[str] = "order_for_memory"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        graph = module.graph
        body = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
        output = graph.output_node()
        found = _least_first(body)
        before, after = peak(body), peak(found)
        if after <= WORTH * before:
            for node in found:
                output.prepend(node)
            yield did(output, f"a sample takes {_shown(after)} at most, {_shown(before)} before")
        else:
            yield did_not(output, f"a sample takes {_shown(before)} at most: no order is better")


def peak(order: Sequence[fx.Node]) -> int:
    """The largest sum of numbers, for a sample, that are alive at once when nodes run in an order.

    What nodes give is alive from when they run until the last of their readers has.
    """
    at = {node: i for i, node in enumerate(order)}
    ends: dict[int, int] = {}
    most = alive = 0
    for i, node in enumerate(order):
        alive += size(node)
        most = max(most, alive)
        # What leaves the graph is read by none of the order, and stays.
        last = max((at.get(user, len(order)) for user in node.users), default=i)
        ends[last] = ends.get(last, 0) + size(node)
        alive -= ends.pop(i, 0)
    return most


def size(node: fx.Node) -> int:
    """How many numbers a sample a node gives; those of constants and routers are left aside."""
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
        if node in done:  # it was offered again when it came to free more
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
