"""Pinned routes: their effect on results, the parts they remove, and wrong pins."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor, nn

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Merge, Net, Node
from dagdsl_compiler.driver import (
    InferenceModel,
    Profile,
    Removed,
    compile,
    explain,
    pins_from_json,
    profile,
)
from dagdsl_compiler.plan import SkipRule, choose
from tests.compiler.nets import complete, net_of
from tests.compiler.test_modes import evaluated
from tests.compiler.test_semantics import image, shaken

X = (2, 4, 4)


def pinned(net: Net, pins: dict[str, bool], seed: int = 0) -> InferenceModel:
    return evaluated(net, "static", shaken(net, seed), pins=pins)


def test_static_removes_what_pins_rule_out() -> None:
    net = net_of(complete(3, x=X), x=X)
    model = pinned(
        net, {"s1: in -> n[0]": False, "s1: n[1] -> out": True, "s1: n[2] -> out": False}
    )
    removed = model.removed
    assert removed.nodes == ("s1.n[0]", "s1.n[2]")
    assert removed.edges == (
        "s1: in -> n[0]",
        "s1: in -> n[2]",
        "s1: n[0] -> n[1]",
        "s1: n[0] -> n[2]",
        "s1: n[0] -> out",
        "s1: n[1] -> n[2]",
        "s1: n[2] -> out",
    )
    assert removed.gates == ("s1: n[1] -> out",)
    assert removed.routers == ("s1.routers.gate_n_0", "s1.routers.gate_n_2")
    assert removed.macs == 2 * (9 * 2 * 2 * 16)
    assert "removed\n  2 nodes: s1.n[0], s1.n[2]\n" in str(removed)
    assert "s1_n_0" not in model.graph.code
    assert "s1_n_2" not in model.graph.code


def replayed(model: nn.Module, weights: Tensor, x: Tensor) -> Tensor:
    """Run a complete stage by its adjacency; the weight of a closed edge is zero."""

    def cell(path: str, m: Tensor) -> Tensor:
        y = model.get_submodule(f"{path}.bn")(model.get_submodule(f"{path}.conv")(m)).relu()
        assert isinstance(y, Tensor)
        return y

    values = [cell("stem", x)]
    last = weights.shape[1] - 1
    for j in range(1, last + 1):
        m = torch.einsum("bi,bichw->bchw", weights[:, :j, j], torch.stack(values, 1))
        y = m if j == last else cell(f"s1.n.{j - 1}.cell", m)
        values.append(y * (weights[:, :j, j] != 0).any(1).view(-1, 1, 1, 1))
    logits = model.get_submodule("logits.fc")(values[-1].mean((2, 3)))
    assert isinstance(logits, Tensor)
    return logits


@pytest.mark.parametrize("reads", ["source", "target", "stage"])
def test_pinned_routes(reads: str) -> None:
    net = net_of(complete(3, x=X, reads=reads), x=X)  # type: ignore[arg-type]
    model = shaken(net, 2).eval()
    static = pinned(
        net, {"s1: in -> n[0]": True, "s1: n[0] -> n[1]": False, "s1: n[1] -> out": True}, 2
    )
    x = image(net, 32)
    y, routes = static(x, return_routes=True)
    weights = routes["s1"]
    assert (weights[:, 0, 1] > 0).all()
    assert (weights[:, 1, 2] == 0).all()
    assert ((weights[:, 2, 4] > 0) == (weights[:, :2, 2] > 0).any(1)).all()
    torch.testing.assert_close(y, replayed(model, weights, x), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(static(x), y, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("merge", ["sum", "mean", "max", "concat", "mul"])
def test_merges_see_zeros_where_an_edge_is_pinned_closed(merge: Merge) -> None:
    graph = complete(2, x=X)
    wide = graph.nodes[-1].replace(merge=merge, shape=(6, 4, 4))
    if merge == "concat":
        nodes: tuple[Node, ...] = (*graph.nodes[:-1], wide)
    else:
        nodes = (*graph.nodes[:-1], wide.replace(shape=X))
    net = net_of(graph.replace(nodes=nodes), x=X)
    shape = nodes[-1].shape
    stage = net.graph.node("s1").replace(shape=shape)
    kept = [stage if n.name == "s1" else n for n in net.graph.nodes if n.name != "logits"]
    outer = net.graph.replace(nodes=tuple(kept), edges=net.graph.edges[:-1])
    output = net.outputs[0].replace(value="s1")
    net = net.replace(graph=outer, outputs=(output,))
    model = shaken(net, 0).eval()
    fc = model.get_submodule("s1.routers.gate_in.fc")
    assert isinstance(fc, nn.Linear)
    nn.init.constant_(fc.weight, 0.0)
    fc.bias.data = torch.tensor([9.0, 9.0, -9.0])
    static = evaluated(net, "static", model, pins={"s1: in -> out": False})
    x = image(net)
    torch.testing.assert_close(static(x), model(x), rtol=1e-4, atol=1e-4)


def test_all_nodes_of_a_stage_pinned_dead() -> None:
    net = net_of(complete(2, x=X), x=X)
    model = pinned(net, {f"s1: in -> {name}": False for name in ("n[0]", "n[1]", "out")})
    x = image(net)
    bias = model.get_submodule("logits.fc").bias
    assert isinstance(bias, Tensor)
    torch.testing.assert_close(model(x), bias.expand(6, 3))
    assert not model(x, return_routes=True)[1]["s1"].any()


def test_constant_gates_need_no_pins() -> None:
    net = net_of(complete(2, x=X, reads="nothing", init=0.0), x=X)
    model = evaluated(net, "static", shaken(net, 0))
    assert "above" not in model.graph.code
    assert "any_open" not in model.graph.code
    assert model.removed != Removed()
    assert str(Removed()) == "removed nothing"


def test_edges_that_calibration_data_never_open() -> None:
    net = net_of(complete(3, x=X), x=X)
    model = shaken(net, 3).eval()
    x = image(net, 16)
    measured = profile(model, [x[:10], x[10:]])
    assert measured.samples == 16
    static = evaluated(net, "static", model, profile=measured)
    assert static.removed.edges
    torch.testing.assert_close(static(x), model(x), rtol=1e-4, atol=1e-4)
    is_open = model(x, return_routes=True)[1]["s1"] != 0
    assert measured.edges["s1: in -> n[1]"] == is_open[:, 0, 2].float().mean()
    assert measured.regions["s1.n[1]"] == is_open[:, :, 2].any(1).float().mean()
    assert Profile.from_json(measured.to_json()) == measured
    assert not model.training


def test_choices_are_explained() -> None:
    net = net_of(complete(2, x=X), x=X)
    regions = {"s1.n[0]": 0.5, "s1.n[1]": 0.95}
    measured = Profile(net=net.hash, samples=20, edges={}, regions=regions)
    assert list(map(str, choose(net, measured, SkipRule(least_macs=100, least_share=0.1)))) == [
        "s1.n[0]: needed by 50%, 576 MACs: run where needed",
        "s1.n[1]: needed by 95%, 576 MACs: run for all",
    ]
    other = net_of(complete(3, x=X), x=X)
    with pytest.raises(UsageError, match="the profile is not of this net"):
        compile(other, mode="auto", profile=measured, backend="eager")


def test_choices_are_among_the_remarks() -> None:
    wide = (16, 8, 8)
    net = net_of(complete(2, x=wide), x=wide)
    measured = Profile(net=net.hash, samples=2, edges={}, regions={"s1.n[0]": 0.5, "s1.n[1]": 1.0})
    model = compile(net, mode="auto", profile=measured, backend="eager")
    steps = {step.name: list(map(str, step.remarks)) for step in explain(model.graph)}
    assert steps["plan"] == [
        "+ s1.n[0]: needed by 50%, 147,456 MACs: run where needed",
        "- s1.n[1]: needed by 100%, 147,456 MACs: run for all",
    ]
    assert steps["keep_regions"] == [
        "- s1.n[1]: runs for all samples: skipping it costs more than it saves"
    ]
    assert steps["group_regions"] == ["+ s1.n[0]: runs on the samples that need it"]


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ({"s1: in -> n[7]": True}, "there is no edge `s1: in -> n.7.` to pin"),
        ({"image -> stem": False}, "edge `image -> stem` cannot be pinned closed"),
    ],
)
def test_wrong_pins(pins: dict[str, bool], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compile(net_of(complete(2, x=X), x=X), mode="static", pins=pins, backend="eager")


def test_files() -> None:
    assert pins_from_json('{"a -> b": "open", "s1: c -> d": "closed"}') == {
        "a -> b": True,
        "s1: c -> d": False,
    }
    for text in ("[", "[1]", '{"a -> b": "ajar"}', "null"):
        with pytest.raises(UsageError, match="pinned routes must be an object of edges"):
            pins_from_json(text)
        with pytest.raises(UsageError, match="not a profile"):
            Profile.from_json(text)
    with pytest.raises(UsageError, match="another version"):
        Profile.from_json(json.dumps({"version": 0}))
