"""The checks of an artefact before it is written. Nothing is compiled here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import GraphModule

import dagdsl
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Reads
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.export import artefact
from dagdsl_compiler.export.artefact import build, manifest_of
from dagdsl_compiler.export.check import BATCHES, check, moved_weights
from dagdsl_compiler.export.manifest import Images, Manifest
from dagdsl_compiler.export.target import Prepared, Target
from dagdsl_compiler.inference import Inference, Mode
from dagdsl_compiler.model import Model
from dagdsl_compiler.probe import Deviation, routing_extremes
from tests.compiler.nets import complete, net_of
from tests.compiler.test_modes import gated_stage
from tests.compiler.test_semantics import shaken

X = (2, 4, 4)
NET = net_of(complete(2, x=X), x=X)


class Uncompiled:
    """The graph itself as an artefact; `damage` changes its results."""

    def __init__(
        self, prepared: Prepared, damage: Callable[[list[Tensor]], None] = lambda _: None
    ) -> None:
        self.graph = copy.deepcopy(prepared.graph())
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
) -> tuple[Deviation, Uncompiled]:
    model = shaken(NET, 0).eval()
    prepared = Prepared(model, Target(mode))
    made = Uncompiled(prepared, damage)
    return check(model, prepared, {"it": made})["it"], made


@pytest.mark.parametrize("mode", ["dense", "static", "grouped", "branch"])
def test_one_artefact_is_probed_at_all_extremes(mode: Mode) -> None:
    found, made = checked(mode)
    assert found.is_tolerable
    assert 0.0 in made.open
    assert 1.0 in made.open
    assert any(0.1 < share < 0.9 for share in made.open)
    assert made.batches == ({1} if mode == "branch" else set(BATCHES))


@pytest.mark.parametrize("mode", ["grouped", "branch"])
@pytest.mark.parametrize("reads", ["source", "stage"])
def test_routes_of_a_stage_that_is_skipped(mode: Mode, reads: Reads) -> None:
    """Routes are zero for samples that skip the stage, and the stage does not run for them."""
    model = shaken(gated_stage(reads), 6).eval()
    prepared = Prepared(model, Target(mode))
    assert check(model, prepared, {"it": Uncompiled(prepared)})["it"].is_tolerable
    assert not model.training
    if mode == "branch":
        return
    graph = prepared.graph()
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
def test_errors_at_single_extremes_are_found(damage: Callable[[list[Tensor]], None]) -> None:
    found, _ = checked("grouped", damage)
    assert not found.is_tolerable


def test_a_mismatch_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "export", lambda prepared, generated: None)
    monkeypatch.setattr(artefact, "compile_package", lambda program, path: path.write_bytes(b""))
    found = Deviation(0.5, "all edges closed")
    monkeypatch.setattr(artefact, "check", lambda *_: {"inductor (grouped)": found})
    with pytest.raises(ModelError, match=r"disagrees .* by 5.0e-01 \(all edges closed\): nothing"):
        build(shaken(NET, 0).eval(), Target("grouped"))


def test_folded_weights_cannot_be_probed() -> None:
    model = shaken(NET, 0).eval()
    prepared = Prepared(model, Target("grouped"))
    made = Uncompiled(prepared)
    made.weights.clear()
    with pytest.raises(ModelError, match="were folded: routes cannot be probed"):
        check(model, prepared, {"it": made})


def test_only_biases_of_routers_move() -> None:
    prepared = Prepared(shaken(NET, 0).eval(), Target("static"))
    before, graph = prepared.state(), prepared.graph()
    moved = moved_weights(prepared)
    assert moved
    assert all(".routers." in name and name.endswith(".bias") for name in moved)
    assert all(torch.equal(value, before[name]) for name, value in prepared.state().items())
    assert prepared.graph() is graph


def test_a_build_prepares_each_graph_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One graph for generated code, and one for each set of weights that is probed."""
    made: list[bool] = []
    prepared: list[Prepared] = []
    original = Inference.graph

    def counted(self: Inference, *args: Any, **options: Any) -> GraphModule:
        made.append(options["generated"])
        return original(self, *args, **options)

    def compiled(program: ExportedProgram, path: Path) -> Uncompiled:
        path.write_bytes(b"")
        return Uncompiled(prepared[0])

    def prepare(model: Model, target: Target) -> Prepared:
        prepared.append(Prepared(model, target))
        return prepared[0]

    monkeypatch.setattr(Inference, "graph", counted)
    monkeypatch.setattr(artefact, "Prepared", prepare)
    monkeypatch.setattr(artefact, "compile_package", compiled)
    model = shaken(NET, 0).eval()
    states = len(list(routing_extremes(NET, model.state_dict())))
    build(model, Target("grouped"))
    assert states == 5
    assert made.count(True) == 1
    assert made.count(False) == states


def test_a_router_that_ends_in_a_normalisation() -> None:
    """The normalisation is folded with its bias: the probe moves that of the layer before."""
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
    moved = moved_weights(Prepared(shaken(net, 0).eval(), Target("grouped")))
    assert {name.rpartition(".routers.")[2].partition(".")[2] for name in moved} == {"fc_2.bias"}


@pytest.mark.parametrize("mode", ["dense", "grouped"])
def test_results_are_in_the_order_of_the_manifest(mode: Mode) -> None:
    prepared = Prepared(shaken(gated_stage(), 0).eval(), Target(mode))
    manifest = manifest_of(prepared)
    x = torch.randn(3, *prepared.net.inputs[0].shape)
    y, routes = prepared.graph()(x)
    assert list(manifest.routes) == list(routes)
    assert len(manifest.routes) > 2
    for key, nodes in manifest.routes.items():
        assert routes[key].shape == (3, len(nodes), len(nodes))
    assert manifest.outputs == {"logits": tuple(y.shape[1:])}


def test_manifest() -> None:
    images = Images("digits", ("0", "1"), (0.3,), (0.4,), 1.0, "logits")
    manifest = manifest_of(Prepared(shaken(NET, 0), Target("branch")), images)
    assert manifest.batch == 1
    text = manifest.to_json()
    again = Manifest.from_json(text)
    assert again.images is not None
    assert list(again.images.classes) == ["0", "1"]
    assert again.results == ["logits", "routes.s1"]
    for broken in ("", "[]", "{}", text.replace("inputs", "imports"), text[:-20]):
        with pytest.raises(UsageError, match=r"this is not a model\.json"):
            Manifest.from_json(broken)
    with pytest.raises(UsageError, match="another version of dagdsl"):
        Manifest.from_json(text.replace('"version": 1', '"version": 2'))


def test_arguments_of_a_target() -> None:
    for values, message in [
        ({"mode": "fast"}, "there is no mode `fast`"),
        ({"mode": "dense", "batch": 0}, "a batch has at least one sample"),
        ({"mode": "branch", "batch": 8}, "mode `branch` takes one sample at a time, not 8"),
        ({"mode": "dense", "pins": {"a -> b": True}}, "mode `dense` takes neither pins nor"),
    ]:
        with pytest.raises(UsageError, match=message):
            Target(**values)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="mode `auto` needs a profile"):
        Prepared(shaken(NET, 0), Target("auto"))
    with pytest.raises(
        UsageError, match="ONNX export supports the modes `dense` and `static`, not `"
    ):
        build(shaken(NET, 0), Target("grouped"), backend="eager", to_onnx=True)
    with pytest.raises(UsageError, match="there is no backend `magic`"):
        build(shaken(NET, 0), Target("dense"), backend="magic")
