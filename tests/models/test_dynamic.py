"""The dynamic nets of `std/models`: their size, their controls, and what they share with the
static ones."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import dagdsl
from dagdsl.check.cost import cost_of_net
from dagdsl.ir.nodes import Net, inner_graph
from tests.models.torchvision_models import build

CONTROLS = ("none", "chain", "residual", "ones", "learned", "random", "skip")
SMALL = {"size": 32, "width": 0.25, "classes": 7}


def dg(name: str, **params: Any) -> Net:
    family = "dg_mobilenet_v2" if name == "dg_mobilenet_v2" else "dg_resnet"
    return dagdsl.load(f"std/models/{family}.dg", net=name, **params)


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("dg_mobilenet_v2", 57),
        ("dg_resnet50", 63),
        ("dg_resnext50_32x4d", 63),
        ("dg_resnet101", 335),
    ],
)
def test_edges_are_those_of_the_method(name: str, edges: int) -> None:
    net = dg(name)
    assert sum(len(graph.edges) for stage in net.stages if (graph := inner_graph(stage))) == edges
    assert cost_of_net(net).gated_edges == edges


def test_routers_and_sums_of_resnet50_cost_next_to_nothing() -> None:
    """The figures of method.md, section 4."""
    costs, static = cost_of_net(dg("dg_resnet50")), cost_of_net(dg("dg_resnet50", control="ones"))
    assert costs.router_parameters == 59_455
    assert costs.parameters - static.parameters == costs.router_parameters
    assert costs.router_parameters / costs.parameters < 0.0025
    assert 0.005 < costs.sum_macs / costs.macs < 0.0055
    assert (costs.router_macs + costs.sum_macs) / costs.macs < 0.01


def test_as_costly_as_the_static_net() -> None:
    dynamic = cost_of_net(dg("dg_resnet50"))
    static = cost_of_net(dagdsl.load("std/models/resnet.dg", net="resnet50"))
    assert abs(dynamic.parameters / static.parameters - 1) < 0.05
    assert abs(dynamic.macs / static.macs - 1) < 0.05


FAMILIES = ("dg_mobilenet_v2", "dg_resnet18", "dg_resnet50", "dg_regnet_y_400mf")


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("name", FAMILIES)
def test_controls_run_and_train(name: str, control: str) -> None:
    width = 1.0 if "regnet" in name else SMALL["width"]  # widths must divide by their groups
    net = dg(name, **{**SMALL, "width": width, "control": control})
    model = dagdsl.compile(net, backend="eager", seed=0)
    outputs = model(torch.randn(2, 3, 32, 32))
    assert outputs["logits"].shape == (2, 7)
    outputs["logits"].square().mean().backward()
    missing = [key for key, p in model.named_parameters() if p.grad is None]
    assert missing == []


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


def test_random_wiring_has_the_rate_and_the_seed_asked_for() -> None:
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


@pytest.mark.parametrize(
    "params",
    [
        {"reads": "target"},
        {"reads": "stage"},
        {"activation": "softmax"},
        {"activation": "relu_tanh", "tau": 0.0},
        {"normalised": True},
        {"tau": 0.5, "train": "straight_through"},
        {"train": "soft"},
        {"dead": "keep_strongest"},
        {"shortcuts": True},
        {"block_entry": True},
    ],
    ids=str,
)
def test_every_switch_of_the_method_is_a_param(params: dict[str, Any]) -> None:
    for name in ("dg_resnet18", "dg_mobilenet_v2"):
        net = dg(name, **SMALL, **params)
        assert net.hash != dg(name, **SMALL).hash
        logits = dagdsl.compile(net, backend="eager", seed=0)(torch.randn(2, 3, 32, 32))["logits"]
        assert logits.isfinite().all()


STATIC = (
    ("dg_resnet18", "resnet18"),
    ("dg_resnext50_32x4d", "resnext50_32x4d"),
    ("dg_regnet_x_400mf", "regnet_x_400mf"),
    ("dg_regnet_y_400mf", "regnet_y_400mf"),
    ("dg_mobilenet_v2", "mobilenet_v2"),
)


def outputs_of(name: str, original: str, **params: Any) -> tuple[Tensor, Tensor]:
    """The logits of a dynamic net with torchvision's weights, and torchvision's."""
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
    """All edges open, a DAG of linear bottlenecks is the residual chain: x + y1 + y2 + ..."""
    ours, theirs = outputs_of("dg_mobilenet_v2", "mobilenet_v2", control="ones")
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))
    gated, _ = outputs_of("dg_mobilenet_v2", "mobilenet_v2")
    assert gated.isfinite().all()
