"""The picture of a stage: a box with a heading, its DAG as an arc diagram, and a legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dagdsl.ir.nodes import Graph, Node
from dagdsl.viz import facts, style
from dagdsl.viz.arcs import NODE_HEIGHT, PORT_RADIUS, Column, arcs, swing
from dagdsl.viz.measure import clip, text_width
from dagdsl.viz.paint import (
    LEGEND_LINE,
    DrawnEdge,
    LegendEntry,
    Picture,
    box,
    draw_edges,
    label,
    title,
)
from dagdsl.viz.xml import SvgElement, element

_PAD = 13.0
_HEAD = 30.0
_GAP = 13.0
_GAP_FOR_BADGES = 22.0
_TEXT_GAP = 7.0
_INSET = 9.0
_NAME_LIMIT = 130.0
_TEXT_LIMIT = 190.0


@dataclass(frozen=True, slots=True)
class _Row:
    """The texts of a vertex: name, summary and shape, clipped to fit."""

    node: Node
    name: str
    detail: str
    shape: str

    @property
    def is_port(self) -> bool:
        return self.node.kind in ("in", "out")


def stage_picture(
    node: Node,
    graph: Graph,
    legend: Sequence[LegendEntry],
    weights: Sequence[Sequence[float]] | None = None,
) -> Picture:
    """Draw a stage, with `legend` at its foot.

    `weights[i][j]`, if given, is the weight of the edge from node i to node j in one sample.
    """
    rows = [_row(inner, node) for inner in graph.nodes]
    half, detail_x = _columns(row for row in rows if not row.is_port)
    y = _heights(rows, graph)
    place = {row.node.name: i for i, row in enumerate(rows)}
    ports = frozenset(i for i, row in enumerate(rows) if row.is_port)
    swings = swing([(place[e.source], place[e.target]) for e in graph.edges], ports)
    paths = arcs(Column(y, ports, half), swings)
    drawn = [DrawnEdge(e, arc.path, arc.apex) for e, arc in zip(graph.edges, paths, strict=True)]

    bent = [pair for pair, out in zip(swings.edges, swings.out, strict=True) if out]
    railed = {end for pair in bent for end in pair}

    foot = y[-1] + (_PAD if rows[-1].is_port else _PAD + NODE_HEIGHT / 2)
    left, right = _extents(node, rows, half, swings.left, swings.right, legend)
    height = foot + (len(legend) * LEGEND_LINE + 4 if legend else 0)
    body = element(
        "g",
        title(facts.node_text(node)),
        box(-left, 0, left + right, height, 8, fill=style.STAGE_FILL, stroke=style.STAGE_LINE),
        label(_PAD - left, 15, _name(node), style.NAME_SIZE, bold=True),
        label(
            right - _PAD,
            15,
            facts.shape_text(node),
            style.SMALL_SIZE,
            anchor="end",
            colour=style.GREY,
        ),
        *draw_edges(graph, drawn, weights),
        *(
            _port(row, at, half if i in railed else 0)
            if row.is_port
            else _node(row, at, half, detail_x)
            for i, (row, at) in enumerate(zip(rows, y, strict=True))
        ),
        *(
            mark
            for i, entry in enumerate(legend)
            for mark in entry.draw(_PAD - left, foot + (i + 0.4) * LEGEND_LINE)
        ),
        class_="stage",
    )
    return Picture(left, right, height, body)


def _row(node: Node, stage: Node) -> _Row:
    detail = facts.node_summary(stage if node.kind == "in" else node)
    return _Row(
        node,
        clip(node.name, style.NAME_SIZE, _NAME_LIMIT, bold=True),
        clip(detail, style.TEXT_SIZE, _TEXT_LIMIT),
        facts.differing_shape(node, stage.shape),
    )


def _columns(rows: Iterable[_Row]) -> tuple[float, float]:
    """Half the width of a node's box, and the offset of the summaries from its left side."""
    names, details, shapes = [40.0 - 2 * _INSET], [0.0], [0.0]
    for row in rows:
        names.append(text_width(row.name, style.NAME_SIZE, bold=True))
        details.append(text_width(row.detail, style.TEXT_SIZE))
        shapes.append(text_width(row.shape, style.SMALL_SIZE))
    detail_x = _INSET + max(names) + (_TEXT_GAP if max(details) else 0)
    shape = max(shapes) + 2 * _TEXT_GAP if max(shapes) else 0
    return (detail_x + max(details) + shape + _INSET) / 2, detail_x


def _heights(rows: Sequence[_Row], graph: Graph) -> list[float]:
    gap = _GAP_FOR_BADGES if any(edge.steps for edge in graph.edges) else _GAP
    heights: list[float] = []
    y = _HEAD
    for row in rows:
        size = 2 * PORT_RADIUS if row.is_port else NODE_HEIGHT
        heights.append(y + size / 2)
        y += size + gap
    return heights


def _extents(
    node: Node,
    rows: Iterable[_Row],
    half: float,
    swing_left: float,
    swing_right: float,
    legend: Iterable[LegendEntry],
) -> tuple[float, float]:
    """The extent of the stage's box to the left and to the right of the axis."""
    left, right = half + swing_left + _PAD, half + swing_right + _PAD
    for row in rows:
        if row.is_port:
            right = max(right, 2 * _PAD + text_width(_port_text(row), style.SMALL_SIZE))
    head = text_width(_name(node), style.NAME_SIZE, bold=True) + text_width(
        facts.shape_text(node), style.SMALL_SIZE
    )
    need = max([head + 16, *(entry.width for entry in legend)]) + 2 * _PAD
    more = max(0.0, need - left - right) / 2
    return left + more, right + more


def _name(node: Node) -> str:
    return clip(node.name, style.NAME_SIZE, _NAME_LIMIT, bold=True)


def _port_text(row: _Row) -> str:
    return f"{row.name}: {row.detail}" if row.detail else row.name


def _port(row: _Row, y: float, rail: float) -> SvgElement:
    return element(
        "g",
        title(facts.node_text(row.node)),
        element("path", d=f"M{-rail:.1f} {y:.1f}H0", stroke=style.LINE, stroke_width=1.1)
        if rail
        else None,
        element("circle", cx=0, cy=y, r=PORT_RADIUS, fill=style.LINE, class_="port"),
        label(_PAD - 3, y, _port_text(row), style.SMALL_SIZE, colour=style.GREY),
    )


def _node(row: _Row, y: float, half: float, detail_x: float) -> SvgElement:
    return element(
        "g",
        title(facts.node_text(row.node)),
        box(-half, y - NODE_HEIGHT / 2, 2 * half, NODE_HEIGHT, 4, class_="node"),
        label(_INSET - half, y, row.name, style.NAME_SIZE, bold=True),
        label(detail_x - half, y, row.detail, style.TEXT_SIZE) if row.detail else None,
        label(half - _INSET, y, row.shape, style.SMALL_SIZE, anchor="end", colour=style.GREY)
        if row.shape
        else None,
    )
