"""The dynamic nets of `std/models`: their size, their controls, and their relation to the static
ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import dagdsl
from dagdsl.analysis.cost import cost_of_net
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net, inner_graph
from dagdsl.sema.settings import Setting
from tests.models.torchvision_models import build

CONTROLS = ("none", "chain", "residual", "ones", "learned", "random", "skip")
SMALL = {"size": 32, "width": 0.25, "classes": 7}


def family_of(name: str) -> str:
    """The file that declares a dynamic net."""
    families = ("dg_mobilenet_v2", "dg_resnext", "dg_regnet")
    return next((family for family in families if name.startswith(family)), "dg_resnet")


def dg(name: str, **params: Any) -> Net:
    return dagdsl.load(f"std/models/{family_of(name)}.dg", net=name, **params)


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("dg_mobilenet_v2", 57),
        ("dg_resnet50", 63),
        ("dg_resnext50_32x4d", 63),
        ("dg_resnet101", 335),
    ],
)
def test_number_of_edges(name: str, edges: int) -> None:
    net = dg(name)
    assert sum(len(graph.edges) for stage in net.stages if (graph := inner_graph(stage))) == edges
    assert cost_of_net(net).gated_edges == edges


def test_routers_and_sums_of_resnet50_cost_little() -> None:
    """The numbers in section 4 of docs/method.md."""
    costs, static = cost_of_net(dg("dg_resnet50")), cost_of_net(dg("dg_resnet50", control="ones"))
    assert costs.router_parameters == 59_455
    assert costs.parameters - static.parameters == costs.router_parameters
    assert costs.router_parameters / costs.parameters < 0.0025
    assert 0.005 < costs.sum_macs / costs.macs < 0.0055
    assert (costs.router_macs + costs.sum_macs) / costs.macs < 0.01


def test_costs_as_much_as_the_static_net() -> None:
    dynamic = cost_of_net(dg("dg_resnet50"))
    static = cost_of_net(dagdsl.load("std/models/resnet.dg", net="resnet50"))
    assert abs(dynamic.parameters / static.parameters - 1) < 0.05
    assert abs(dynamic.macs / static.macs - 1) < 0.05


FAMILIES = (
    "dg_mobilenet_v2",
    "dg_resnet18",
    "dg_resnet50",
    "dg_resnext50_32x4d",
    "dg_regnet_y_400mf",
)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("name", FAMILIES)
def test_controls_run_and_train(name: str, control: str) -> None:
    grouped = name.startswith(("dg_resnext", "dg_regnet"))  # widths must divide by the groups
    width = 1.0 if grouped else SMALL["width"]
    net = dg(name, **{**SMALL, "width": width, "control": control})
    model = dagdsl.compile(net, backend="eager", seed=0)
    outputs = model(torch.randn(2, 3, 32, 32))
    assert outputs["logits"].shape == (2, 7)
    outputs["logits"].square().mean().backward()
    missing = [key for key, p in model.named_parameters() if p.grad is None]
    assert missing == []


@pytest.mark.parametrize("control", ["none", "residual", "ones", "learned"])
def test_a_fifth_family_is_a_file(control: str) -> None:
    """The example of docs/models.md, which needs no Python."""
    page = Path(__file__).parents[2].joinpath("docs", "models.md").read_text()
    (text,) = (block for block in re.findall(r"```dg\n(.*?)```", page, re.DOTALL) if "53" in block)
    net = dagdsl.loads(text, net="darknet21", control=control, classes=7)
    model = dagdsl.compile(net, backend="eager", seed=0)
    outputs = model(torch.randn(2, 3, 256, 256))
    outputs["logits"].square().mean().backward()
    assert [key for key, p in model.named_parameters() if p.grad is None] == []
    assert [tap.shape[2] for tap in outputs["features"].values()] == [32, 16, 8]


@pytest.mark.parametrize(
    ("control", "edges", "gated"),
    [
        ("none", 28, 28),
        ("chain", 7, 0),
        ("residual", 7, 0),
        ("ones", 28, 0),
        ("learned", 28, 28),
        ("skip", 7, 0),
    ],
)
def test_controls_change_the_wiring(control: str, edges: int, gated: int) -> None:
    graph = inner_graph(dg("dg_resnet50", control=control).graph.node("s[2]"))
    assert graph is not None
    assert len(graph.edges) == edges
    assert sum(edge.gate is not None for edge in graph.edges) == gated


def test_random_wiring_follows_rate_and_seed() -> None:
    def pairs(**params: Any) -> list[tuple[str, str]]:
        graph = inner_graph(dg("dg_resnet101", control="random", **params).graph.node("s[2]"))
        assert graph is not None
        ports = ("in", "out")
        return [(e.source, e.target) for e in graph.edges if not {e.source, e.target} & {*ports}]

    possible = 23 * 22 / 2
    assert abs(len(pairs(rate=0.3)) / possible - 0.3) < 0.1
    assert len(pairs(rate=0.9)) / possible > 0.8
    assert pairs(rate=0.3, seed=1) != pairs(rate=0.3, seed=2)
    assert pairs(rate=0.3, seed=1) == pairs(rate=0.3, seed=1)


def test_random_wiring_differs_between_stages_of_one_depth() -> None:
    net = dg("dg_mobilenet_v2", control="random")
    graphs = [inner_graph(net.graph.node(f"s[{i}]")) for i in (2, 4, 5)]
    wirings = {tuple((e.source, e.target) for e in graph.edges) for graph in graphs if graph}
    assert len(wirings) > 1


@pytest.mark.parametrize(
    "params",
    [
        {"reads": "target"},
        {"reads": "stage"},
        {"activation": "softmax"},
        {"activation": "relu_tanh", "tau": 0.0},
        {"activation": "gumbel_softmax"},
        {"activation": "gumbel_sigmoid"},
        {"activation": "hard_concrete", "tau": 0.0},
        {"normalised": True},
        {"tau": 0.5, "train": "straight_through"},
        {"train": "soft"},
        {"dead": "keep_strongest"},
        {"start": 3.0},
        {"shortcuts": True},
        {"block_entry": True},
    ],
    ids=str,
)
def test_every_variant_of_the_method_is_a_param(params: dict[str, Any]) -> None:
    for name in ("dg_resnet18", "dg_mobilenet_v2"):
        net = dg(name, **SMALL, **params)
        assert net.hash != dg(name, **SMALL).hash
        logits = dagdsl.compile(net, backend="eager", seed=0)(torch.randn(2, 3, 32, 32))["logits"]
        assert logits.isfinite().all()


@pytest.mark.parametrize("family", ["mobilenet_v2", "resnet", "resnext", "regnet"])
def test_every_net_has_a_dynamic_version(family: str) -> None:
    """With the residual control and static entries, a dynamic net costs as much as the static."""
    static = analyse_file(Path(f"std/models/{family}.dg")).nets
    as_static: dict[str, Setting] = {"control": "residual", "block_entry": True}
    dynamic = analyse_file(Path(f"std/models/dg_{family}.dg"), as_static).nets
    assert dynamic.keys() == {f"dg_{name}" for name in static}
    for name, net in static.items():
        ours, theirs = cost_of_net(dynamic[f"dg_{name}"]), cost_of_net(net)
        assert (ours.parameters, ours.macs) == (theirs.parameters, theirs.macs)


STATIC = (
    ("dg_resnet18", "resnet18"),
    ("dg_resnext50_32x4d", "resnext50_32x4d"),
    ("dg_regnet_x_400mf", "regnet_x_400mf"),
    ("dg_regnet_y_400mf", "regnet_y_400mf"),
    ("dg_mobilenet_v2", "mobilenet_v2"),
)


def outputs_of(name: str, original: str, **params: Any) -> tuple[Tensor, Tensor]:
    """The logits of a dynamic net with torchvision's weights, and those of torchvision's model."""
    torch.manual_seed(0)
    theirs = build(original).eval()
    net = dg(name, size=64, block_entry=True, **params).only("logits")
    ours = dagdsl.compile(net, backend="eager", seed=0).eval()
    dagdsl.load_torchvision_weights(ours, theirs.state_dict())
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        return ours(x), theirs(x)


@pytest.mark.parametrize(("name", "original"), STATIC, ids=[name for name, _ in STATIC])
def test_the_residual_control_is_the_static_net(name: str, original: str) -> None:
    ours, theirs = outputs_of(name, original, control="residual")
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


def test_static_weights_start_a_dynamic_net() -> None:
    """With all edges open, a DAG of linear bottlenecks is the residual chain: x + y1 + y2 + ..."""
    ours, theirs = outputs_of("dg_mobilenet_v2", "mobilenet_v2", control="ones")
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


def test_routers_can_start_without_effect() -> None:
    """If `start` saturates `hard_concrete`, every gate is one and routers have no effect."""
    ours, theirs = outputs_of(
        "dg_mobilenet_v2", "mobilenet_v2", activation="hard_concrete", tau=0.0, start=5.0
    )
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))
    nearly, _ = outputs_of("dg_mobilenet_v2", "mobilenet_v2", start=8.0)
    default, _ = outputs_of("dg_mobilenet_v2", "mobilenet_v2")
    assert (nearly - theirs).abs().max() < 0.1 * (default - theirs).abs().max()


@pytest.mark.parametrize(("name", "original"), STATIC, ids=[name for name, _ in STATIC])
def test_with_only_the_original_edges_open_it_is_the_static_net(name: str, original: str) -> None:
    """Routers run, but their biases set gates to one along the chain and to zero elsewhere."""
    switches = {"activation": "hard_concrete", "tau": 0.0, "shortcuts": True, "block_entry": True}
    torch.manual_seed(0)
    theirs = build(original).eval()
    net = dg(name, size=64, **switches).only("logits")
    ours = dagdsl.compile(net, backend="eager", seed=0).eval()
    dagdsl.load_torchvision_weights(ours, theirs.state_dict())
    state = ours.state_dict()
    for stage, node in enumerate(net.stages):
        graph = inner_graph(node)
        assert graph is not None
        place = {vertex.name: i for i, vertex in enumerate(graph.nodes)}
        for edge in graph.edges:
            assert edge.gate is not None
            along = place[edge.target] == place[edge.source] + 1
            bias = state[f"s.{stage}.routers.{edge.gate.router}.fc.bias"]
            bias[edge.gate.index] = 10.0 if along else -10.0
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected, (got, routes) = theirs(x), ours(x, return_routes=True)
    assert torch.allclose(got, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert all(set(found.unique().tolist()) <= {0.0, 1.0} for found in routes.values())
