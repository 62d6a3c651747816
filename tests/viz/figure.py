"""Parses an SVG figure into boxes, labels and edges, in page coordinates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from dagdsl.viz.measure import text_width

_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Rect:
    """The area that something covers on the page."""

    what: str
    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Rect) -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def contains(self, other: Rect) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )


@dataclass(frozen=True)
class Line:
    """An edge: its tooltip and how it is drawn."""

    text: str
    dashes: str | None
    opacity: str | None


class Figure:
    """A parsed figure. Raises ElementTree.ParseError if the text is not XML."""

    def __init__(self, svg: str) -> None:
        root = ElementTree.fromstring(svg)
        self.page = Rect("page", 0, 0, *map(float, root.attrib["viewBox"].split()[2:]))
        self.nodes: list[Rect] = []
        self.stages: list[Rect] = []
        self.labels: list[Rect] = []
        self.edges: list[Line] = []
        for child, x, y, parent in _walk(root, 0, 0):
            kind = child.get("class")
            if child.tag == f"{_SVG}rect" and child.get("x") is not None:
                (self.nodes if kind else self.stages).append(_rect(child, x, y))
            elif child.tag == f"{_SVG}text":
                self.labels.append(_label(child, x, y))
            elif kind == "edge":
                title = child.findtext(f"{_SVG}title") or ""
                dashes = child.get("stroke-dasharray", parent.get("stroke-dasharray"))
                self.edges.append(Line(title, dashes, child.get("opacity")))


def _walk(
    element: ElementTree.Element, x: float, y: float
) -> Iterator[tuple[ElementTree.Element, float, float, ElementTree.Element]]:
    if moved := re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", "")):
        x, y = x + float(moved[1]), y + float(moved[2])
    for child in element:
        yield child, x, y, element
        yield from _walk(child, x, y)


def _rect(element: ElementTree.Element, x: float, y: float) -> Rect:
    left, top, width, height = (float(element.attrib[k]) for k in ("x", "y", "width", "height"))
    return Rect(element.get("class", "stage"), x + left, y + top, width, height)


def _label(element: ElementTree.Element, x: float, y: float) -> Rect:
    text, size = element.text or "", float(element.attrib["font-size"])
    width = text_width(text, size, bold="font-weight" in element.attrib)
    shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[element.get("text-anchor", "start")] * width
    left, base = float(element.attrib["x"]), float(element.attrib["y"])
    return Rect(text, x + left - shift, y + base - 0.75 * size, width, size)
