"""Rows of boxes -> positions on a page: a long figure is folded into columns, as in a newspaper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from dagdsl.viz.layers import Layers
from dagdsl.viz.xml import number

# The wanted width by height, for a figure that spans both columns of a paper.
_ASPECT = 1.4
_ROW_GAP = 28.0
_ROW_GAP_MAX = 66.0
# An edge between columns leaves below all boxes, turns into the gutter and enters above all boxes.
_TURN = 16.0
_GUTTER = 34.0
_RADIUS = 9.0
# A figure of at most this height is not folded.
_NO_FOLD_HEIGHT = 360.0
_CANDIDATES = 60
# A smaller horizontal offset is invisible: the edge is drawn straight.
_STRAIGHT = 0.3

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Route:
    """The path of an edge from the bottom of a box to the top of another, and a point on it."""

    path: str
    badge: Point


@dataclass(frozen=True, slots=True)
class Page:
    """Axis and top of every box, the route of every edge, and the size of the page."""

    places: tuple[Point, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def page(layers: Layers) -> Page:
    """Stack the rows in as many columns as give the best proportions."""
    columns = _fold(layers)
    x = list(layers.x)
    top = [0.0] * len(x)
    tops: dict[int, float] = {}
    gutters: list[float] = []
    left, bottom = 0.0, 0.0
    for column in columns:
        members = [vertex for row in column for vertex in layers.rows[row]]
        shift = left - min(layers.x[v] - layers.sizes[v].left for v in members)
        left = shift + max(layers.x[v] + layers.sizes[v].right for v in members)
        gutters.append(left + _GUTTER / 2)
        left += _GUTTER
        y = _TURN if len(columns) > 1 else 0.0
        for row in column:
            tops[row] = y
            for vertex in layers.rows[row]:
                x[vertex] += shift
                top[vertex] = y + (layers.height(row) - layers.sizes[vertex].height) / 2
            y += layers.height(row) + _gap(layers, row)
        turn = 0.0 if column is columns[-1] else _TURN
        bottom = max(bottom, y - _gap(layers, column[-1]) + turn)

    column_of = {row: i for i, column in enumerate(columns) for row in column}
    row_of = {vertex: row for row, members in enumerate(layers.rows) for vertex in members}

    def route(chain: Sequence[int]) -> Route:
        first, last = chain[0], chain[-1]
        start = (x[first], top[first] + layers.sizes[first].height)
        end = (x[last], top[last])
        if column_of[row_of[first]] != column_of[row_of[last]]:
            foot = tops[row_of[first]] + layers.height(row_of[first]) + _TURN
            gutter = gutters[column_of[row_of[first]]]
            corners = [start, (x[first], foot), (gutter, foot), (gutter, 0.0), (x[last], 0.0), end]
            return Route(_rounded_path(corners), (gutter, foot / 2))
        stops = [start]
        for upper, lower in pairwise(chain):
            stops.append((x[upper], tops[row_of[upper]] + layers.height(row_of[upper])))
            stops.append((x[lower], tops[row_of[lower]]))
        stops.append(end)
        return Route(_smooth_path(stops), _badge(stops))

    return Page(
        tuple(zip(x[: layers.boxes], top[: layers.boxes], strict=True)),
        tuple(route(chain) for chain in layers.chains),
        left - _GUTTER,
        bottom,
    )


def _fold(layers: Layers) -> list[list[int]]:
    """The rows of each column. Cuts only where exactly one edge crosses, between adjacent rows."""
    groups: list[list[int]] = [[0]]
    for row in range(1, len(layers.rows)):
        crossing = layers.crossing(row - 1)
        if len(crossing) == 1 and len(layers.chains[crossing[0]]) == 2:
            groups.append([row])
        else:
            groups[-1].append(row)
    heights = [_height(layers, group) for group in groups]
    low, high = max(heights), sum(heights)
    if high <= _NO_FOLD_HEIGHT:
        return [list(range(len(layers.rows)))]
    foldings = []
    for i in range(_CANDIDATES + 1):
        limit = low + (high - low) * i / _CANDIDATES
        columns: list[list[int]] = []
        used = 0.0
        for group, height in zip(groups, heights, strict=True):
            if columns and used + height <= limit + 1e-6:
                columns[-1] += group
                used += height
            else:
                columns.append(list(group))
                used = height
        if columns not in foldings:
            foldings.append(columns)
    return min(foldings, key=lambda columns: _fold_cost(layers, columns))


def _fold_cost(layers: Layers, columns: Sequence[Sequence[int]]) -> float:
    width = 0.0
    heights: list[float] = []
    for column in columns:
        members = [vertex for row in column for vertex in layers.rows[row]]
        width += max(layers.x[v] + layers.sizes[v].right for v in members)
        width -= min(layers.x[v] - layers.sizes[v].left for v in members)
        width += _GUTTER
        heights.append(_height(layers, column))
    # Penalise folds, because the eye has to travel, and empty paper.
    empty = sum(1 - height / max(heights) for height in heights)
    return abs(log(width / max(heights) / _ASPECT)) + 0.2 * len(columns) + 0.6 * empty


def _height(layers: Layers, rows: Iterable[int]) -> float:
    return sum(layers.height(row) + _gap(layers, row) for row in rows)


def _gap(layers: Layers, row: int) -> float:
    """The distance to the next row; it grows with the horizontal extent of the edges there."""
    here = set(layers.rows[row])
    sideways = (
        abs(layers.x[a] - layers.x[b])
        for chain in layers.chains
        for a, b in pairwise(chain)
        if a in here
    )
    return min(_ROW_GAP + 0.1 * max(sideways, default=0), _ROW_GAP_MAX)


def _smooth_path(stops: Sequence[Point]) -> str:
    """A path of straight lines where possible, and otherwise of curves with vertical ends."""
    path = f"M{number(stops[0][0])} {number(stops[0][1])}"
    for (x0, y0), (x1, y1) in pairwise(stops):
        if abs(x0 - x1) < _STRAIGHT:
            if number(y0) != number(y1):
                path += f"V{number(y1)}"
        else:
            middle = number((y0 + y1) / 2)
            path += f"C{number(x0)} {middle} {number(x1)} {middle} {number(x1)} {number(y1)}"
    return path


def _badge(stops: Sequence[Point]) -> Point:
    if len(stops) > 4:
        # A long edge has a lane of its own: put the badge on it.
        (x0, y0), (x1, y1) = stops[2], stops[3]
        return (x0 + x1) / 2, (y0 + y1) / 2
    # Not in the middle, where edges that swap sides cross.
    (x0, y0), (x1, y1) = stops[1], stops[2]
    return 0.72 * x0 + 0.28 * x1, 0.62 * y0 + 0.38 * y1


def _rounded_path(corners: Sequence[Point]) -> str:
    path = f"M{number(corners[0][0])} {number(corners[0][1])}"
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        near, far = _corner_end(corner, before), _corner_end(corner, after)
        path += f"L{number(near[0])} {number(near[1])}"
        path += f"Q{number(corner[0])} {number(corner[1])} {number(far[0])} {number(far[1])}"
    return path + f"L{number(corners[-1][0])} {number(corners[-1][1])}"


def _corner_end(corner: Point, other: Point) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    share = min(_RADIUS, length / 2) / length if length else 0.0
    return corner[0] + dx * share, corner[1] + dy * share
