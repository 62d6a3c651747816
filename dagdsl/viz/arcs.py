"""Vertices on a vertical line and the edges between them -> an arc diagram: a path for every edge.

An arc diagram keeps dense DAGs legible: no edge crosses a vertex, and the width of an arc shows how
many vertices it skips. Edges between nodes bend to the right, edges from and to the ports to the
left. An edge between neighbours is straight. A port is a dot with a rail to the left that is as
long as the boxes are wide, so that its arcs stay clear of them.
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
# Outgoing edges leave a box below its middle and incoming edges arrive above it: they never touch.
_ANCHOR = 5.0
# The share of the way to its two control points that a cubic curve reaches.
_REACH = 0.75


@dataclass(frozen=True, slots=True)
class Arc:
    """The path of an edge, and its outermost point."""

    path: str
    apex: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Column:
    """The vertices, all at x = 0: their y coordinates, and half the width of a node's box."""

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
    """How far each edge bends out: 0 is straight, negative to the left, positive to the right."""

    edges: Sequence[tuple[int, int]]
    out: tuple[float, ...]

    @property
    def left(self) -> float:
        """The width that the arcs need to the left of the boxes."""
        return -min((0.0, *self.out))

    @property
    def right(self) -> float:
        """The width that the arcs need to the right of the boxes."""
        return max((0.0, *self.out))


def swing(edges: Sequence[tuple[int, int]], ports: frozenset[int]) -> Swing:
    """Assign every edge a side and a lane: the longer the edge, the farther out."""
    # Parallel edges get lanes of their own.
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
    """Return the path of every edge, in the order of the edges."""
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
