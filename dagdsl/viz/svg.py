"""`Net` -> an SVG figure for a paper: stages as boxes, static edges solid, gated edges dashed."""

from __future__ import annotations

from collections.abc import Sequence

from dagdsl.ir.nodes import Net, Node, inner_graph
from dagdsl.viz import facts, style
from dagdsl.viz.columns import page
from dagdsl.viz.layers import Size, layers
from dagdsl.viz.measure import clip, text_width
from dagdsl.viz.paint import (
    LEGEND_LINE,
    Entry,
    Picture,
    Routes,
    Wire,
    box,
    heads,
    label,
    legend,
    title,
    wires,
)
from dagdsl.viz.stage import stage_picture
from dagdsl.viz.xml import Element, element

_MARGIN = 14.0
_INSET = 12.0
_NAME_LIMIT = 150.0
_TEXT_LIMIT = 220.0
_TAG_HEIGHT = 20.0
_TAP_WIRE = 18.0


def to_svg(net: Net, routes: Routes | None = None) -> str:
    """Draw a net. `routes` shows the way of one sample: for the name of a stage, or of the net,
    the weights `[i][j]` of the edges from node i to node j of its graph.
    """
    routes = routes or {}
    graph = net.graph
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    leaves = place.keys() - {edge.source for edge in graph.edges}
    taps = facts.taps(net)
    ends = [tap for tap in taps if tap.node in leaves]
    stage_legend = _common_legend(net)
    pictures = [
        _with_taps(
            _picture(node, stage_legend, routes),
            [tap.name for tap in taps if tap.node == node.name and tap not in ends],
        )
        for node in graph.nodes
    ]
    pictures += [_tag(tap.name) for tap in ends]
    edges = [(place[edge.source], place[edge.target]) for edge in graph.edges]
    edges += [(place[tap.node], len(place) + i) for i, tap in enumerate(ends)]

    sheet = page(layers([Size(p.left, p.right, p.height) for p in pictures], edges), len(pictures))
    drawn = [
        Wire(edge, route.path, route.badge)
        for edge, route in zip(graph.edges, sheet.routes, strict=False)
    ]
    key = (*legend(graph), *(stage_legend or ()))
    width = max([sheet.width, *(entry.width for entry in key)]) + 2 * _MARGIN
    below = sheet.height + _MARGIN + 16
    height = sheet.height + 2 * _MARGIN + (16 + LEGEND_LINE * (len(key) - 0.5) if key else 0)
    figure = element(
        "svg",
        title(net.name),
        heads(),
        element("rect", width=width, height=height, fill=style.PAPER),
        element(
            "g",
            *(
                element("g", picture.body, transform=f"translate({x:.1f} {y:.1f})")
                for picture, (x, y) in zip(pictures, sheet.places, strict=True)
            ),
            *wires(graph, drawn, routes.get(net.name)),
            *(_tap_wire(route.path) for route in sheet.routes[len(drawn) :]),
            transform=f"translate({(width - sheet.width) / 2:.1f} {_MARGIN:g})",
        ),
        *(
            mark
            for i, entry in enumerate(key)
            for mark in entry.draw(_MARGIN, below + (i + 0.25) * LEGEND_LINE)
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.1f} {height:.1f}",
        width=width,
        height=height,
        font_family=style.FONT,
        role="img",
    )
    return figure.render()


def _common_legend(net: Net) -> tuple[Entry, ...] | None:
    """The legend of every stage, if they all have the same one and the net itself has none."""
    graphs = [graph for stage in net.stages if (graph := inner_graph(stage))]
    legends = {found for graph in graphs if (found := legend(graph))}
    return legends.pop() if len(legends) == 1 and not legend(net.graph) else None


def _picture(node: Node, common: tuple[Entry, ...] | None, routes: Routes) -> Picture:
    graph = inner_graph(node)
    if graph is None:
        return _box(node)
    foot = () if common else legend(graph)
    return stage_picture(node, graph, foot, routes.get(node.name))


def _box(node: Node) -> Picture:
    name = clip(node.name, style.NAME_SIZE, _NAME_LIMIT, bold=True)
    detail = clip(facts.node_summary(node), style.TEXT_SIZE, _TEXT_LIMIT)
    shape = facts.shape_text(node)
    name_width = text_width(name, style.NAME_SIZE, bold=True)
    line = name_width + (7 + text_width(detail, style.TEXT_SIZE) if detail else 0)
    half = max(line, text_width(shape, style.SMALL_SIZE), 36) / 2 + _INSET
    height = 38.0
    body = element(
        "g",
        title(facts.node_text(node)),
        box(-half, 0, 2 * half, height, height / 2 if node.kind == "in" else 5, class_="node"),
        label(-line / 2, 13, name, style.NAME_SIZE, bold=True),
        label(name_width + 7 - line / 2, 13, detail, style.TEXT_SIZE) if detail else None,
        label(0, 27, shape, style.SMALL_SIZE, anchor="middle", colour=style.GREY),
    )
    return Picture(half, half, height, body)


def _tag(name: str) -> Picture:
    """An output: a name in a capsule, for it is no computation."""
    text = clip(name, style.NAME_SIZE, _NAME_LIMIT)
    half = max(text_width(text, style.NAME_SIZE), 20) / 2 + 10
    body = element(
        "g",
        title(f"output {name}"),
        box(-half, 0, 2 * half, _TAG_HEIGHT, _TAG_HEIGHT / 2, class_="output"),
        label(0, _TAG_HEIGHT / 2, text, style.NAME_SIZE, anchor="middle"),
    )
    return Picture(half, half, _TAG_HEIGHT, body)


def _with_taps(picture: Picture, names: Sequence[str]) -> Picture:
    """The picture with an arrow to the right for each output that is taken here on the way."""
    if not names:
        return picture
    tags = [_tag(name) for name in names]
    step = _TAG_HEIGHT + 6
    first = (
        max(0.0, picture.height - step * len(tags) - 4)
        if picture.height > 60
        else ((picture.height - step * len(tags) + 6) / 2)
    )
    marks: list[Element] = []
    for i, tag in enumerate(tags):
        y = first + i * step
        x = picture.right + _TAP_WIRE
        marks.append(_tap_wire(f"M{picture.right:.1f} {y + _TAG_HEIGHT / 2:.1f}h{_TAP_WIRE:g}"))
        marks.append(element("g", tag.body, transform=f"translate({x + tag.left:.1f} {y:.1f})"))
    right = picture.right + _TAP_WIRE + 2 * max(tag.left for tag in tags)
    return Picture(picture.left, right, picture.height, element("g", picture.body, *marks))


def _tap_wire(path: str) -> Element:
    return element(
        "path",
        d=path,
        class_="tap",
        fill="none",
        stroke=style.LINE,
        stroke_width="1.1",
        marker_end=f"url(#head-{style.LINE.removeprefix('#')})",
    )
