"""The marks that a figure is made of: labels, boxes, edges, legends -> SVG elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dagdsl.ir.nodes import Edge, Graph
from dagdsl.viz import facts, style
from dagdsl.viz.measure import clip, text_width
from dagdsl.viz.style import Stroke
from dagdsl.viz.xml import SvgElement, element

Routes: TypeAlias = Mapping[str, Sequence[Sequence[float]]]
"""For one sample: the name of a graph -> `[i][j]`, the weight of the edge from node i to node j."""

LEGEND_LINE = 15.0
_SAMPLE = 26.0
_LEGEND_LIMIT = 330.0
_BADGE = 5.5


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn part: how far it reaches from its axis, x = 0, and from its top, y = 0."""

    left: float
    right: float
    height: float
    body: SvgElement


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """An edge with the path it takes, and the point of it where a badge can sit."""

    edge: Edge
    path: str
    badge: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A line of a legend: a sample of a line, or the letter of a badge, and what it stands for."""

    text: str
    mark: Stroke | str

    @property
    def width(self) -> float:
        """The room it takes, sample included."""
        return _SAMPLE + text_width(self._shown, style.SMALL_SIZE)

    @property
    def _shown(self) -> str:
        return clip(self.text, style.SMALL_SIZE, _LEGEND_LIMIT)

    def draw(self, x: float, y: float) -> list[SvgElement]:
        """The entry with its left end at `x`, its middle at `y`."""
        if isinstance(self.mark, str):
            mark = _badge((x + 10, y), self.mark)
        else:
            mark = [
                element(
                    "path",
                    d=f"M{x:g} {y:g}h20",
                    fill="none",
                    stroke=self.mark.colour,
                    stroke_width=1.3,
                    stroke_dasharray=self.mark.dashes,
                )
            ]
        return [*mark, label(x + _SAMPLE, y, self._shown, style.SMALL_SIZE, colour=style.GREY)]


def label(
    x: float,
    middle: float,
    text: str,
    size: float,
    *,
    bold: bool = False,
    anchor: Literal["start", "middle", "end"] = "start",
    colour: str = style.INK,
) -> SvgElement:
    """A line of text around the height `middle`."""
    return element(
        "text",
        text=text,
        x=x,
        # Not every renderer knows `dominant-baseline`; a letter is 0.7 of the size in height.
        y=middle + 0.35 * size,
        font_size=size,
        font_weight="600" if bold else None,
        text_anchor=None if anchor == "start" else anchor,
        fill=colour,
    )


def title(text: str) -> SvgElement:
    """What a browser shows when the mouse rests on the element around it."""
    return element("title", text=text)


def box(x: float, y: float, width: float, height: float, radius: float, **more: str) -> SvgElement:
    """A rounded box with the line of a node, unless `more` says otherwise."""
    looks = {"fill": style.PAPER, "stroke": style.LINE, **more}
    return element("rect", x=x, y=y, width=width, height=height, rx=radius, **looks)


def arrow(path: str, **more: str) -> SvgElement:
    """A static edge."""
    looks = {"fill": "none", "stroke": style.STATIC.colour, "stroke_width": "1.1", **more}
    return element("path", None, d=path, marker_end=_head(style.STATIC), **looks)


def legend(graph: Graph) -> tuple[LegendEntry, ...]:
    """What the dashes and the badges in the drawing of a graph stand for."""
    dashes = [LegendEntry(rule.text, style.gated(i)) for i, rule in enumerate(facts.rules(graph))]
    badges = [LegendEntry(text, letter) for text, letter in letters(graph).items()]
    return (*dashes, *badges)


def letters(graph: Graph) -> dict[str, str]:
    """What edges do to what they carry -> the letter that stands for it."""
    return {text: _letter(i) for i, text in enumerate(facts.transforms(graph))}


def strokes(graph: Graph) -> dict[str, Stroke]:
    """Router name -> the line of the edges it weighs."""
    return {
        name: style.gated(i) for i, rule in enumerate(facts.rules(graph)) for name in rule.routers
    }


def draw_edges(
    graph: Graph, drawn: Iterable[DrawnEdge], weights: Sequence[Sequence[float]] | None
) -> list[SvgElement]:
    """The edges of a graph: a group for each kind of line, static ones last, badges on top."""
    routed, letter = strokes(graph), letters(graph)
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    groups: dict[Stroke, list[SvgElement]] = {s: [] for s in (*routed.values(), style.STATIC)}
    badges: list[SvgElement] = []
    for drawn_edge in drawn:
        edge = drawn_edge.edge
        stroke = routed.get(edge.gate.router, style.STATIC) if edge.gate else style.STATIC
        looks: dict[str, str] = {}
        if weights is not None:
            looks = _weighed(weights[place[edge.source]][place[edge.target]])
        groups[stroke].append(
            element("path", title(facts.edge_text(edge)), d=drawn_edge.path, class_="edge", **looks)
        )
        if edge.steps:
            badges += _badge(drawn_edge.badge, letter[facts.summary(edge.steps)])
    return [
        *(
            element(
                "g",
                *paths,
                fill="none",
                stroke=stroke.colour,
                stroke_width="1.1",
                stroke_dasharray=stroke.dashes or None,
                marker_end=_head(stroke),
            )
            for stroke, paths in groups.items()
            if paths
        ),
        *badges,
    ]


def heads() -> SvgElement:
    """The arrow heads, one for each colour, for the top of a figure."""
    return element(
        "defs",
        *(
            element(
                "marker",
                element("path", d="M0 0L6 2.5L0 5Z", fill=stroke.colour),
                id=_head_name(stroke),
                markerUnits="userSpaceOnUse",
                markerWidth=6,
                markerHeight=5,
                refX=6,
                refY=2.5,
                orient="auto",
            )
            for stroke in (style.STATIC, *style.GATED)
        ),
    )


def _head(stroke: Stroke) -> str:
    return f"url(#{_head_name(stroke)})"


def _head_name(stroke: Stroke) -> str:
    return f"head-{stroke.colour.removeprefix('#')}"


def _weighed(weight: float) -> dict[str, str]:
    """A closed edge is a shadow; an open one is solid and the thicker the more it weighs."""
    if weight <= 0:
        return {"opacity": "0.18"}
    return {"stroke_width": f"{min(0.8 + 1.2 * weight, 3):.2f}", "stroke_dasharray": "none"}


def _badge(at: tuple[float, float], letter: str) -> list[SvgElement]:
    looks = {"fill": style.PAPER, "stroke": style.LINE, "stroke_width": "0.8"}
    circle = element("circle", None, cx=at[0], cy=at[1], r=_BADGE, **looks)
    return [circle, label(*at, letter, 7.5, anchor="middle")]


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else str(index - 25)
