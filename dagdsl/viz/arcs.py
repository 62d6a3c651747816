"""Vertices on a vertical line and the edges between them -> an arc diagram: a path for every edge.

Of all drawings of a dense DAG this one stays legible longest: no line crosses a vertex, and how far
an arc swings out says how many vertices it skips. Edges between nodes swing to the right, edges
from and to the ports to the left; an edge between neighbours is straight.
A port is a dot with a rail to the left, as wide as the boxes, so that its arcs pass clear of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagdsl.viz.xml import number

NODE_HEIGHT = 22.0
PORT_RADIUS = 3.0

_FIRST_LANE = 15.0
_LANE = 11.0
_ALL_LANES = 110.0
# Out-edges leave below the middle of a box and in-edges arrive above it, so that they do not touch.
_ANCHOR = 5.0
# How far a cubic curve reaches towards control points that lie on one side of it.
_REACH = 0.75


@dataclass(frozen=True, slots=True)
class Arc:
    """The path of an edge, and the point of it that is farthest out."""

    path: str
    apex: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Column:
    """The vertices, all at x = 0: their heights on the page, and half the width of a node's box."""

    y: Sequence[float]
    ports: frozenset[int]
    half: float

    def top(self, vertex: int) -> float:
        """Where a straight edge into the vertex ends."""
        return self.y[vertex] - (PORT_RADIUS if vertex in self.ports else NODE_HEIGHT / 2)

    def bottom(self, vertex: int) -> float:
        """Where a straight edge out of the vertex starts."""
        return self.y[vertex] + (PORT_RADIUS if vertex in self.ports else NODE_HEIGHT / 2)


@dataclass(frozen=True, slots=True)
class Swing:
    """How far out each edge goes: 0 straight, negative to the left, positive to the right."""

    edges: Sequence[tuple[int, int]]
    out: tuple[float, ...]

    @property
    def left(self) -> float:
        """The room the arcs need on the left of the boxes."""
        return -min((0.0, *self.out))

    @property
    def right(self) -> float:
        """The room the arcs need on the right of the boxes."""
        return max((0.0, *self.out))


def swing(edges: Sequence[tuple[int, int]], ports: frozenset[int]) -> Swing:
    """Give every edge a side and a lane: the longer the edge, the farther out."""
    # A second edge between the same two vertices gets a lane of its own.
    seen: dict[tuple[int, int], int] = {}
    lanes: list[tuple[int, int]] = []
    for edge in edges:
        copy = seen.get(edge, 0)
        seen[edge] = copy + 1
        lanes.append((edge[1] - edge[0], copy))
    sides = [-1 if ports.intersection(edge) else 1 for edge in edges]
    out = [0.0] * len(edges)
    for side in (-1, 1):
        members = [i for i, s in enumerate(sides) if s == side and lanes[i] != (1, 0)]
        used = {lane: k for k, lane in enumerate(sorted({lanes[i] for i in members}))}
        step = min(_LANE, _ALL_LANES / max(1, len(used)))
        for i in members:
            out[i] = side * (_FIRST_LANE + step * used[lanes[i]])
    return Swing(edges, tuple(out))


def arcs(column: Column, swing: Swing) -> tuple[Arc, ...]:
    """The path of every edge, in the order of the edges."""
    return tuple(
        _arc(column, *edge, out) if out else _straight(column, *edge)
        for edge, out in zip(swing.edges, swing.out, strict=True)
    )


def _straight(column: Column, source: int, target: int) -> Arc:
    start, end = column.bottom(source), column.top(target)
    return Arc(f"M0 {number(start)}V{number(end)}", (0, (start + end) / 2))


def _arc(column: Column, source: int, target: int, out: float) -> Arc:
    side = 1 if out > 0 else -1
    edge = side * column.half
    rim, pull = number(edge), number(edge + out / _REACH)
    start = column.y[source] + (0 if source in column.ports else _ANCHOR)
    end = column.y[target] - (0 if target in column.ports else _ANCHOR)
    path = f"M{rim} {number(start)}C{pull} {number(start)} {pull} {number(end)} {rim} {number(end)}"
    return Arc(path, (edge + out, (start + end) / 2))
