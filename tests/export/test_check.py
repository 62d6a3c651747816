"""What is found out about an artefact before it is written: nothing is compiled here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from torch import Tensor

import dagdsl
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Reads
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.export import artefact
from dagdsl_compiler.export.artefact import build, manifest_of
from dagdsl_compiler.export.check import BATCHES, check, moved_weights
from dagdsl_compiler.export.manifest import Images, Manifest
from dagdsl_compiler.export.target import Target
from dagdsl_compiler.inference import InferenceModel, Mode
from dagdsl_compiler.probe import Difference
from tests.compiler.nets import complete, net_of
from tests.compiler.test_modes import gated_stage
from tests.compiler.test_semantics import shaken

X = (2, 4, 4)
NET = net_of(complete(2, x=X), x=X)


class Uncompiled:
    """An artefact that is the graph itself, and damages what it returns as it is told to."""

    def __init__(
        self, model: InferenceModel, target: Target, damage: Callable[[list[Tensor]], None]
    ) -> None:
        self.graph = target.graph(model)
        self.weights = dict(self.graph.state_dict())
        self.damage = damage
        self.open: list[float] = []
        self.batches: set[int] = set()

    @property
    def replaceable(self) -> frozenset[str]:
        return frozenset(self.weights)

    def replace(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, tensor in weights.items():
                self.weights[name].copy_(tensor)

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        y, routes = self.graph(*inputs)
        results = [y.clone(), *routes.values()]
        edges = results[1].shape[1] * (results[1].shape[1] - 1) / 2
        self.open.append(float((results[1] != 0).sum()) / (edges * len(y)))
        self.batches.add(len(y))
        self.damage(results)
        return results


def checked(
    mode: Mode, damage: Callable[[list[Tensor]], None] = lambda _: None
) -> tuple[Difference, Uncompiled]:
    model, target = shaken(NET, 0).eval(), Target(mode)
    made = Uncompiled(target.model(model), target, damage)
    return check(model, target, made), made


@pytest.mark.parametrize("mode", ["dense", "static", "grouped", "branch"])
def test_one_artefact_is_driven_into_all_extremes(mode: Mode) -> None:
    found, made = checked(mode)
    assert found.is_tolerable
    assert 0.0 in made.open
    assert 1.0 in made.open
    assert any(0.1 < share < 0.9 for share in made.open)
    assert made.batches == ({1} if mode == "branch" else set(BATCHES))


@pytest.mark.parametrize("mode", ["grouped", "branch"])
@pytest.mark.parametrize("reads", ["source", "stage"])
def test_routes_of_a_stage_that_is_skipped(mode: Mode, reads: Reads) -> None:
    """They are zero, and to have them costs no sample that does not need the stage."""
    model, target = shaken(gated_stage(reads), 6).eval(), Target(mode)
    assert check(
        model, target, Uncompiled(target.model(model), target, lambda _: None)
    ).is_tolerable
    assert not model.training
    if mode == "branch":
        return
    graph = target.graph(target.model(model))
    seen: list[int] = []
    graph.get_submodule("s1.conv").register_forward_pre_hook(lambda _, x: seen.append(len(x[0])))
    x = torch.randn(32, *model.net.inputs[0].shape, generator=torch.Generator().manual_seed(0))
    outer, inner = (graph(x)[1][key] for key in ("net", "s1"))
    needed = outer[:, 1, 2] != 0
    assert 0 < needed.sum() < 32
    assert set(seen) == {int(needed.sum())}
    assert not inner[~needed].any()
    assert inner[needed].any()


def closed_only(results: list[Tensor]) -> None:
    if not (results[1] != 0).any():
        results[0] += 1.0


def open_only(results: list[Tensor]) -> None:
    if (results[1] != 0).sum() == 6 * len(results[1]):
        results[0] += 1.0


def routes_only(results: list[Tensor]) -> None:
    results[1] *= 0.9


def large_only(results: list[Tensor]) -> None:
    if len(results[0]) > 15:
        results[0][15:] = 0.0


def nan(results: list[Tensor]) -> None:
    results[0][0] = float("nan")


@pytest.mark.parametrize("damage", [closed_only, open_only, routes_only, large_only, nan])
def test_what_is_wrong_only_somewhere_is_found(damage: Callable[[list[Tensor]], None]) -> None:
    found, _ = checked("grouped", damage)
    assert not found.is_tolerable


def test_a_mismatch_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "export", lambda model, target, generated: None)
    monkeypatch.setattr(artefact, "compile_package", lambda program, path: None)
    monkeypatch.setattr(artefact, "check", lambda *_: Difference(0.5, "all edges closed"))
    with pytest.raises(ModelError, match=r"disagrees .* by 5.0e-01 \(all edges closed\): nothing"):
        build(shaken(NET, 0).eval(), Target("grouped"))


def test_weights_that_were_folded_cannot_be_driven() -> None:
    model, target = shaken(NET, 0).eval(), Target("grouped")
    made = Uncompiled(target.model(model), target, lambda _: None)
    made.weights.clear()
    with pytest.raises(ModelError, match="were folded: routes cannot be probed"):
        check(model, target, made)


def test_only_biases_of_routers_move() -> None:
    model, target = shaken(NET, 0).eval(), Target("static")
    inference = target.model(model)
    before = {name: value.clone() for name, value in inference.state_dict().items()}
    moved = moved_weights(inference, target)
    assert moved
    assert all(".routers." in name and name.endswith(".bias") for name in moved)
    assert all(torch.equal(value, before[n]) for n, value in inference.state_dict().items())


def test_a_router_that_ends_in_a_normalisation() -> None:
    """It is folded away, bias and all: what moves is the bias of the layer before it."""
    net = dagdsl.loads(
        """
        edition 1
        router gate = gap |> bn |> fc(4) |> relu |> fc |> bn |> sigmoid |> threshold(0.5)
        net N {
          input x: f32[2, 4, 4]
          stage s { node n[2]: conv |> relu connect complete via gate }
          node y: gap |> fc(3)
          x -> s -> y
          output y
        }
        """
    )
    model, target = shaken(net, 0).eval(), Target("grouped")
    moved = moved_weights(target.model(model), target)
    assert {name.rpartition(".routers.")[2].partition(".")[2] for name in moved} == {"fc_2.bias"}


@pytest.mark.parametrize("mode", ["dense", "grouped"])
def test_results_are_in_the_order_of_the_manifest(mode: Mode) -> None:
    model, target = shaken(gated_stage(), 0).eval(), Target(mode)
    manifest = manifest_of(model, target)
    x = torch.randn(3, *model.net.inputs[0].shape)
    y, routes = target.graph(target.model(model))(x)
    assert list(manifest.routes) == list(routes)
    assert len(manifest.routes) > 2
    for key, nodes in manifest.routes.items():
        assert routes[key].shape == (3, len(nodes), len(nodes))
    assert manifest.outputs == {"logits": tuple(y.shape[1:])}


def test_manifest() -> None:
    images = Images("digits", ("0", "1"), (0.3,), (0.4,), 1.0, "logits")
    manifest = manifest_of(shaken(NET, 0), Target("branch"), images)
    assert manifest.batch == 1
    text = manifest.to_json()
    again = Manifest.from_json(text)
    assert again.images is not None
    assert list(again.images.classes) == ["0", "1"]
    assert again.results == ["logits", "routes.s1"]
    for broken in ("", "[]", "{}", text.replace("inputs", "imports"), text[:-20]):
        with pytest.raises(UsageError, match=r"this is no model\.json"):
            Manifest.from_json(broken)
    with pytest.raises(UsageError, match="another version of dagdsl"):
        Manifest.from_json(text.replace('"version": 1', '"version": 2'))


def test_what_a_target_takes() -> None:
    for values, message in [
        ({"mode": "fast"}, "there is no mode `fast`"),
        ({"mode": "dense", "batch": 0}, "a batch has at least one sample"),
        ({"mode": "branch", "batch": 8}, "mode `branch` takes one sample at a time, not 8"),
        ({"mode": "dense", "pins": {"a -> b": True}}, "mode `dense` takes neither pins nor"),
    ]:
        with pytest.raises(UsageError, match=message):
            Target(**values)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="mode `auto` needs a profile"):
        Target("auto").model(shaken(NET, 0))
    with pytest.raises(UsageError, match="ONNX is for the modes `dense` and `static`"):
        build(shaken(NET, 0), Target("grouped"), backend="eager", to_onnx=True)
    with pytest.raises(UsageError, match="there is no backend `magic`"):
        build(shaken(NET, 0), Target("dense"), backend="magic")
