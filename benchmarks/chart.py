"""Draw line charts as SVG, with panels side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dagdsl.viz.style import FONT, GATED, GREY, INK, PAPER, SMALL_SIZE, STAGE_LINE, TEXT_SIZE
from dagdsl.viz.xml import SvgElement, element

WIDTH, HEIGHT = 280.0, 240.0
LEFT, TOP, BOTTOM, GAP = 52.0, 30.0, 42.0, 26.0
LEGEND_LINE = 15.0
TICKS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """A line through points `(x, y)`; series with the same name have the same style."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart. `diagonal` is the label of the line y = x, which is drawn if it is given."""

    title: str
    x: str
    y: str
    series: Sequence[Series]
    diagonal: str | None = None


def draw(panels: Sequence[Panel]) -> str:
    """Return the panels with a legend below them as one SVG."""
    names = list(dict.fromkeys(s.name for panel in panels for s in panel.series))
    lines = [*names, *dict.fromkeys(panel.diagonal for panel in panels if panel.diagonal)]
    width = len(panels) * (LEFT + WIDTH + GAP)
    height = TOP + HEIGHT + BOTTOM + LEGEND_LINE * len(lines) + 8
    return element(
        "svg",
        element("rect", width=width, height=height, fill=PAPER),
        *(_panel(panel, i * (LEFT + WIDTH + GAP) + LEFT, names) for i, panel in enumerate(panels)),
        *(_legend(i, name, names) for i, name in enumerate(lines)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        font_family=FONT,
        font_size=TEXT_SIZE,
        fill=INK,
    ).render()


def ticks(top: float) -> list[float]:
    """Return evenly spaced round numbers from zero to the first that is at least `top`."""
    rough = top / TICKS
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999)
    return [step * i for i in range(math.ceil(top / step - 1e-9) + 1)]


def _panel(panel: Panel, left: float, names: Sequence[str]) -> SvgElement:
    points = [point for series in panel.series for point in series.points]
    x_ticks = ticks(max([x for x, _ in points], default=1.0))
    y_ticks = ticks(max([y for _, y in points], default=1.0))

    def at(x: float, y: float) -> tuple[float, float]:
        return left + WIDTH * x / x_ticks[-1], TOP + HEIGHT * (1 - y / y_ticks[-1])

    parts = [_text(left, TOP - 12, panel.title, weight="bold")]
    for y in y_ticks:
        (x1, y1), (x2, _) = at(0, y), at(x_ticks[-1], y)
        parts.append(element("line", x1=x1, y1=y1, x2=x2, y2=y1, stroke=STAGE_LINE))
        parts.append(_text(x1 - 6, y1 + 3.5, f"{y:g}", anchor="end"))
    for x in x_ticks:
        x1, y1 = at(x, 0)
        parts.append(element("line", x1=x1, y1=y1, x2=x1, y2=y1 + 4, stroke=GREY))
        parts.append(_text(x1, y1 + 16, f"{x:g}", anchor="middle"))
    parts.append(_text(left + WIDTH / 2, TOP + HEIGHT + 32, panel.x, anchor="middle"))
    middle = f"translate({left - 38:.1f} {TOP + HEIGHT / 2:.1f}) rotate(-90)"
    parts.append(_text(0, 0, panel.y, anchor="middle", transform=middle))
    if panel.diagonal:
        end = min(x_ticks[-1], y_ticks[-1])
        parts.append(_line([at(0, 0), at(end, end)], GREY, "2 3"))
    for series in panel.series:
        stroke = GATED[names.index(series.name) % len(GATED)]
        places = [at(x, y) for x, y in sorted(series.points)]
        parts.append(_line(places, stroke.colour, _dashes(names.index(series.name))))
        parts += [element("circle", cx=x, cy=y, r=3, fill=stroke.colour) for x, y in places]
    return element("g", *parts)


def _legend(row: int, name: str, names: Sequence[str]) -> SvgElement:
    y = TOP + HEIGHT + BOTTOM + LEGEND_LINE * (row + 0.5)
    line = [(LEFT, y), (LEFT + 32, y)]
    if name in names:
        number = names.index(name)
        drawn = _line(line, GATED[number % len(GATED)].colour, _dashes(number))
    else:
        drawn = _line(line, GREY, "2 3")
    return element("g", drawn, _text(LEFT + 40, y + 3.5, name))


def _dashes(number: int) -> str:
    """Return the dash pattern of a line: dashed once the colours repeat."""
    return "" if number < len(GATED) else "6 3"


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str) -> SvgElement:
    return element(
        "polyline",
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        fill="none",
        stroke=colour,
        stroke_width=1.5,
        stroke_dasharray=dashes or None,
    )


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str | None = None,
    weight: str | None = None,
    transform: str | None = None,
) -> SvgElement:
    return element(
        "text",
        x=x,
        y=y,
        text=text,
        text_anchor=anchor,
        font_weight=weight,
        font_size=TEXT_SIZE if weight else SMALL_SIZE,
        transform=transform,
    )
