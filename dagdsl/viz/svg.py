"""`Net` -> an SVG figure for a paper: stages as boxes, static edges solid, gated edges dashed."""

from __future__ import annotations

from dagdsl.ir.nodes import Net, Node, inner_graph
from dagdsl.viz import facts, style
from dagdsl.viz.boxes import node_picture, with_output_below, with_outputs_beside
from dagdsl.viz.columns import page
from dagdsl.viz.layers import Size, layers
from dagdsl.viz.paint import (
    LEGEND_LINE,
    DrawnEdge,
    LegendEntry,
    Picture,
    Routes,
    arrow_heads,
    draw_edges,
    legend,
    title,
)
from dagdsl.viz.stage import stage_picture
from dagdsl.viz.xml import element

_MARGIN = 14.0
_ABOVE_KEY = 16.0


def to_svg(net: Net, routes: Routes | None = None) -> str:
    """Draw a net as SVG.

    With the `routes` of one sample, the figure shows its path through the net: open edges strong,
    closed edges faint. The keys are those of a model's routes: `net` for the net's own graph, and
    the names of stages, with `s[0]` as `s.0`.
    """
    routes = routes or {}
    graph = net.graph
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    common = _common_legend(net)
    pictures = [_with_outputs(net, node, _picture(node, common, routes)) for node in graph.nodes]
    sizes = [Size(p.left, p.right, p.height) for p in pictures]
    sheet = page(layers(sizes, [(place[e.source], place[e.target]) for e in graph.edges]))
    drawn = [
        DrawnEdge(edge, route.path, route.badge)
        for edge, route in zip(graph.edges, sheet.routes, strict=True)
    ]

    key = (*legend(graph), *common)
    width = max([sheet.width, *(entry.width for entry in key)]) + 2 * _MARGIN
    key_top = sheet.height + _MARGIN + _ABOVE_KEY
    height = key_top + LEGEND_LINE * len(key) if key else sheet.height + _MARGIN
    figure = element(
        "svg",
        title(net.name),
        arrow_heads(),
        element("rect", width=width, height=height + _MARGIN, fill=style.PAPER),
        element(
            "g",
            *(
                element("g", picture.body, transform=f"translate({x:.1f} {y:.1f})")
                for picture, (x, y) in zip(pictures, sheet.places, strict=True)
            ),
            *draw_edges(graph, drawn, routes.get("net")),
            transform=f"translate({(width - sheet.width) / 2:.1f} {_MARGIN:g})",
        ),
        *(
            mark
            for i, entry in enumerate(key)
            for mark in entry.draw(_MARGIN, key_top + (i + 0.5) * LEGEND_LINE)
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.1f} {height + _MARGIN:.1f}",
        width=width,
        height=height + _MARGIN,
        font_family=style.FONT,
        role="img",
    )
    return figure.render()


def _common_legend(net: Net) -> tuple[LegendEntry, ...]:
    """The legend shared by all stages, if they have the same one and the net itself has none."""
    graphs = [graph for stage in net.stages if (graph := inner_graph(stage))]
    legends = {found for graph in graphs if (found := legend(graph))}
    return legends.pop() if len(legends) == 1 and not legend(net.graph) else ()


def _picture(node: Node, common: tuple[LegendEntry, ...], routes: Routes) -> Picture:
    graph = inner_graph(node)
    if graph is None:
        return node_picture(node)
    weights = routes.get(node.name.replace("[", ".").replace("]", ""))
    return stage_picture(node, graph, () if common else legend(graph), weights)


def _with_outputs(net: Net, node: Node, picture: Picture) -> Picture:
    names = [tap.name for tap in facts.taps(net) if tap.node == node.name]
    if not names:
        return picture
    is_last = all(edge.source != node.name for edge in net.graph.edges)
    return (
        with_output_below(picture, names[0])
        if is_last and len(names) == 1
        else with_outputs_beside(picture, names)
    )
