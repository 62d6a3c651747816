"""The parts of a figure as SVG elements: labels, boxes, edges, legends."""

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
"""The routes of one sample: graph name -> matrix whose `[i][j]` is the weight of edge i -> j."""

LEGEND_LINE = 15.0
_SAMPLE = 26.0
_LEGEND_LIMIT = 330.0
_BADGE = 5.5


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn part: its extent to both sides of its axis, x = 0, and its height below y = 0."""

    left: float
    right: float
    height: float
    body: SvgElement


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """An edge with its path and the position of a badge."""

    edge: Edge
    path: str
    badge: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A line of a legend: a sample of a stroke, or the letter of a badge, and its meaning."""

    text: str
    mark: Stroke | str

    @property
    def width(self) -> float:
        """The width of the entry, sample included."""
        return _SAMPLE + text_width(self._shown, style.SMALL_SIZE)

    @property
    def _shown(self) -> str:
        return clip(self.text, style.SMALL_SIZE, _LEGEND_LIMIT)

    def draw(self, x: float, y: float) -> list[SvgElement]:
        """Draw the entry with its left end at `x` and its middle at `y`."""
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
    """Return a line of text, vertically centred at `middle`."""
    return element(
        "text",
        text=text,
        x=x,
        # Not every renderer supports `dominant-baseline`; capitals are 0.7 of the font size high.
        y=middle + 0.35 * size,
        font_size=size,
        font_weight="600" if bold else None,
        text_anchor=None if anchor == "start" else anchor,
        fill=colour,
    )


def title(text: str) -> SvgElement:
    """Return the tooltip of the enclosing element."""
    return element("title", text=text)


def box(x: float, y: float, width: float, height: float, radius: float, **more: str) -> SvgElement:
    """Return a rounded box, styled as a node unless `more` overrides it."""
    looks = {"fill": style.PAPER, "stroke": style.LINE, **more}
    return element("rect", x=x, y=y, width=width, height=height, rx=radius, **looks)


def arrow(path: str, **more: str) -> SvgElement:
    """Return a static edge."""
    looks = {"fill": "none", "stroke": style.STATIC.colour, "stroke_width": "1.1", **more}
    return element("path", None, d=path, marker_end=_head(style.STATIC), **looks)


def legend(graph: Graph) -> tuple[LegendEntry, ...]:
    """Return the legend of a graph: the meaning of its dashes and badges."""
    dashes = [LegendEntry(rule.text, style.gated(i)) for i, rule in enumerate(facts.rules(graph))]
    badges = [LegendEntry(text, letter) for text, letter in letters(graph).items()]
    return (*dashes, *badges)


def letters(graph: Graph) -> dict[str, str]:
    """Return the badge letter of each distinct summary of the steps on edges."""
    return {text: _letter(i) for i, text in enumerate(facts.transforms(graph))}


def strokes(graph: Graph) -> dict[str, Stroke]:
    """Return the stroke of the edges that each router weighs, by router name."""
    return {
        name: style.gated(i) for i, rule in enumerate(facts.rules(graph)) for name in rule.routers
    }


def draw_edges(
    graph: Graph, drawn: Iterable[DrawnEdge], weights: Sequence[Sequence[float]] | None
) -> list[SvgElement]:
    """Draw the edges of a graph: a group for each stroke, static edges last, badges on top."""
    routed, letter = strokes(graph), letters(graph)
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    groups: dict[Stroke, list[SvgElement]] = {s: [] for s in (*routed.values(), style.STATIC)}
    badges: list[SvgElement] = []
    for drawn_edge in drawn:
        edge = drawn_edge.edge
        stroke = routed.get(edge.gate.router, style.STATIC) if edge.gate else style.STATIC
        looks: dict[str, str] = {}
        if weights is not None:
            looks = _weight_style(weights[place[edge.source]][place[edge.target]])
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


def arrow_heads() -> SvgElement:
    """Return the definitions of the arrow heads, one for each colour."""
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


def _weight_style(weight: float) -> dict[str, str]:
    """The look of a weighted edge: faint if closed, else solid and as thick as its weight."""
    if weight <= 0:
        return {"opacity": "0.18"}
    return {"stroke_width": f"{min(0.8 + 1.2 * weight, 3):.2f}", "stroke_dasharray": "none"}


def _badge(at: tuple[float, float], letter: str) -> list[SvgElement]:
    looks = {"fill": style.PAPER, "stroke": style.LINE, "stroke_width": "0.8"}
    circle = element("circle", None, cx=at[0], cy=at[1], r=_BADGE, **looks)
    return [circle, label(*at, letter, 7.5, anchor="middle")]


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else str(index - 25)
