from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from dagdsl.ir.nodes import Net
from dagdsl.viz import facts
from dagdsl.viz.svg import to_svg
from tests.viz import nets
from tests.viz.figure import Figure

NETS = {
    "1x4": nets.dgnet(1, 4),
    "3x4": nets.dgnet(3, 4, taps=True),
    "3x4 with a threshold each": nets.dgnet(3, 4, same=False),
    "5x8": nets.dgnet(5, 8),
    "branches": nets.branches(),
    "merges": nets.merges(),
    "static": nets.static(),
    "long names": nets.hostile("_with_a_name_that_goes_on_and_on_and_will_not_end"),
}

every_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS.keys())


@every_net
def test_nothing_overlaps(net: Net) -> None:
    figure = Figure(to_svg(net))
    for areas in (figure.nodes, figure.stages, figure.labels):
        for a, b in combinations(areas, 2):
            assert not a.overlaps(b), (a, b)
    for area in (*figure.nodes, *figure.stages, *figure.labels):
        assert figure.page.contains(area), area


@every_net
def test_labels_stay_in_their_boxes(net: Net) -> None:
    figure = Figure(to_svg(net))
    for box in (*figure.nodes, *figure.stages):
        for label in figure.labels:
            assert not box.overlaps(label) or box.contains(label), (box, label)


@every_net
def test_every_edge_is_drawn_once_dashed_if_gated(net: Net) -> None:
    wanted = Counter(
        (facts.edge_text(edge), edge.gate is not None)
        for graph in nets.graphs(net)
        for edge in graph.edges
    )
    drawn = Figure(to_svg(net)).edges
    assert Counter((line.text, line.dashes is not None) for line in drawn) == wanted


@every_net
def test_every_node_and_output_is_drawn_once(net: Net) -> None:
    figure = Figure(to_svg(net))
    inner = [node for graph in nets.graphs(net) for node in graph.nodes]
    boxes = Counter(box.what for box in (*figure.nodes, *figure.stages))
    assert boxes["stage"] == len(net.stages)
    assert boxes["output"] == len(facts.taps(net))
    own = [node for node in net.graph.nodes if node.kind != "stage"]
    of_stages = [node for node in inner[len(net.graph.nodes) :] if node.kind == "node"]
    assert boxes["node"] == len(own) + len(of_stages)


def test_a_stage_of_eight_has_all_its_edges() -> None:
    edges = Figure(to_svg(nets.dgnet(5, 8))).edges
    assert sum(line.dashes is not None for line in edges) == 5 * 45


def test_a_figure_fits_a_page() -> None:
    page = Figure(to_svg(nets.dgnet(5, 8))).page
    assert 0.6 < page.width / page.height < 2


def test_one_legend_where_all_stages_share_it() -> None:
    rule = "gate: gap |> fc |> sigmoid > 0.1"
    shared = [label.what for label in Figure(to_svg(nets.dgnet(3, 4))).labels]
    assert shared.count(rule) == 1
    apart = [label.what for label in Figure(to_svg(nets.dgnet(3, 4, same=False))).labels]
    assert [rule, rule[:-1] + "2", rule[:-1] + "3"] == [t for t in apart if t.startswith("gate:")]


@pytest.mark.parametrize(
    "text", ["<script>", '"&quot;', "]]>-->", "\0\x1b", "\n<x y='z'/>", "\ud800"]
)
def test_names_are_text(text: str) -> None:
    net = nets.merges() if text == "\ud800" else nets.hostile(text)
    if text == "\ud800":
        net = net.replace(name=text)
    svg = to_svg(net)
    svg.encode()
    assert len(Figure(svg).edges) == sum(len(graph.edges) for graph in nets.graphs(net))
    assert "<script" not in svg
    assert "<x " not in svg


def test_routes_show_the_path_of_one_sample() -> None:
    net = nets.dgnet(1, 2)
    weights = [[0.0] * 4 for _ in range(4)]
    weights[0][1] = weights[1][3] = 0.9
    lines = {line.text: line for line in Figure(to_svg(net, {"s1": weights})).edges}
    assert lines["in -> n[0] via gate_in[0]"].opacity is None
    assert lines["in -> n[0] via gate_in[0]"].dashes == "none"
    assert lines["n[0] -> n[1] via gate_n_0[0]"].opacity is not None
    assert lines["image -> stem"].opacity is None
