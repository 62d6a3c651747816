"""Layered drawing of a DAG of sized boxes: the row and the x coordinate of every box.

Follows Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
Structures" (1981). Longest paths determine the rows. An edge that skips rows gets a dummy vertex, a
lane, in each of them. Barycentre sweeps order each row with few crossings. Weighted least squares
determine the coordinates.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 8
_SPACE = 26.0
_LANE = 8.0


@dataclass(frozen=True, slots=True)
class Size:
    """The extent of a box to both sides of its axis, and its height."""

    left: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Layers:
    """Rows of vertices and their x coordinates. Vertices from number `boxes` on are dummies.

    `chains` holds, for each edge, the vertices it runs through.
    """

    boxes: int
    rows: tuple[tuple[int, ...], ...]
    x: tuple[float, ...]
    sizes: tuple[Size, ...]
    chains: tuple[tuple[int, ...], ...]

    def crossing(self, row: int) -> list[int]:
        """The indices of the edges that cross from a row to the next one."""
        here = set(self.rows[row])
        return [i for i, chain in enumerate(self.chains) if not here.isdisjoint(chain[:-1])]

    def height(self, row: int) -> float:
        """The height of the tallest box of a row."""
        return max(self.sizes[vertex].height for vertex in self.rows[row])


def layers(boxes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> Layers:
    """Lay out boxes in topological order: every edge goes from a lower index to a higher one."""
    rank = _ranks(len(boxes), edges)
    through = _longest_paths(len(boxes), edges)
    sizes = list(boxes)
    # The longest paths are the spine of the figure and stay straight: other boxes give way to them,
    # and lanes give way to all boxes.
    longest = max(through, default=0)
    weight = [1.0 if length == longest else 1e-4 for length in through]
    rows: list[list[int]] = [[] for _ in range(max(rank, default=0) + 1)]
    for vertex, row in enumerate(rank):
        rows[row].append(vertex)
    chains: list[tuple[int, ...]] = []
    for source, target in edges:
        lane = range(len(sizes), len(sizes) + rank[target] - rank[source] - 1)
        for row, dummy in enumerate(lane, rank[source] + 1):
            rows[row].append(dummy)
        sizes += [Size(_LANE, _LANE, 0)] * len(lane)
        weight += [1e-8] * len(lane)
        chains.append((source, *lane, target))
    graph = _Neighbours(len(sizes), len(boxes), chains)
    ordered = _order(rows, graph)
    return Layers(
        len(boxes),
        tuple(map(tuple, ordered)),
        tuple(_places(ordered, graph, sizes, weight)),
        tuple(sizes),
        tuple(chains),
    )


class _Neighbours:
    """The neighbours of each vertex in the rows above and below, dummies included."""

    def __init__(self, count: int, real: int, chains: Iterable[Sequence[int]]) -> None:
        self.real = real
        self.above: list[list[int]] = [[] for _ in range(count)]
        self.below: list[list[int]] = [[] for _ in range(count)]
        for chain in chains:
            for a, b in pairwise(chain):
                self.above[b].append(a)
                self.below[a].append(b)


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    # Parallel edges are distinguished by their lanes, so they need a row between their ends.
    span = {edge: min(copies, 2) for edge, copies in Counter(edges).items()}
    rank = [0] * count
    for (source, target), rows in sorted(span.items()):
        rank[target] = max(rank[target], rank[source] + rows)
    # Put a source directly above the first box that reads it.
    targets = {target for _, target in edges}
    for vertex in range(count):
        if vertex not in targets:
            rank[vertex] = min(
                (rank[t] - rows for (s, t), rows in span.items() if s == vertex), default=0
            )
    return rank


def _longest_paths(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """For every vertex, the length of the longest path through it."""
    up, down = [0] * count, [0] * count
    forward = sorted(edges)
    for source, target in forward:
        up[target] = max(up[target], up[source] + 1)
    for source, target in reversed(forward):
        down[source] = max(down[source], down[target] + 1)
    return [u + d for u, d in zip(up, down, strict=True)]


def _order(rows: list[list[int]], graph: _Neighbours) -> list[list[int]]:
    best, fewest = rows, _crossings(rows, graph)
    current = [list(row) for row in rows]
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        near = graph.above if downward else graph.below
        for row in range(1, len(current)) if downward else range(len(current) - 2, -1, -1):
            fixed = current[row - 1 if downward else row + 1]
            place = {vertex: i for i, vertex in enumerate(fixed)}
            middle = {
                vertex: sum(place[n] for n in near[vertex]) / len(near[vertex])
                if near[vertex]
                else i
                for i, vertex in enumerate(current[row])
            }
            current[row] = sorted(current[row], key=lambda vertex: middle[vertex])
        crossings = _crossings(current, graph)
        if crossings < fewest:
            best, fewest = [list(row) for row in current], crossings
    return best


def _crossings(rows: Sequence[Sequence[int]], graph: _Neighbours) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {vertex: i for i, vertex in enumerate(lower)}
        passed: list[int] = []
        for vertex in upper:
            ends = sorted(place[n] for n in graph.below[vertex])
            total += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return total


def _places(
    rows: Sequence[Sequence[int]],
    graph: _Neighbours,
    sizes: Sequence[Size],
    weight: Sequence[float],
) -> list[float]:
    x = [0.0] * len(sizes)
    for sweep in range(_SWEEPS + 1):
        downward = sweep % 2 == 0
        near = graph.above if downward else graph.below
        for row in rows if downward else reversed(rows):
            wanted = []
            for vertex in row:
                others = near[vertex]
                if vertex >= graph.real and sweep:
                    # Pulled only by its own lane, a dummy moves out only as far as the lane must.
                    others = [other for other in others if other >= graph.real]
                pull = sum(weight[other] for other in others)
                wanted.append(sum(weight[o] * x[o] for o in others) / pull if others else x[vertex])
            room = [
                sizes[a].right + sizes[b].left + (_SPACE if max(a, b) < graph.real else _LANE)
                for a, b in pairwise(row)
            ]
            spread = _spread(wanted, [weight[vertex] for vertex in row], room)
            for vertex, place in zip(row, spread, strict=True):
                x[vertex] = place
    return x


def _spread(
    wanted: Sequence[float], weights: Sequence[float], room: Sequence[float]
) -> list[float]:
    """The coordinates nearest to the wanted ones (weighted least squares) that keep the distances.

    After subtracting the distances this is isotonic regression, solved by pooling adjacent
    violators.
    """
    shift = [0.0]
    for distance in room:
        shift.append(shift[-1] + distance)
    pools: list[tuple[float, float, int]] = []
    for place, weight, offset in zip(wanted, weights, shift, strict=True):
        mean, total, count = place - offset, weight, 1
        while pools and pools[-1][0] > mean:
            before, its_total, its_count = pools.pop()
            mean = (before * its_total + mean * total) / (its_total + total)
            total, count = total + its_total, count + its_count
        pools.append((mean, total, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, shift, strict=True)]
