"""`dagdsl bench`: modes, active shares, baselines, training. Speed itself is not tested."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import dagdsl
from dagdsl.benchmark.measure import bench
from dagdsl.benchmark.memory import peak_bytes
from dagdsl.benchmark.plan import BenchPlan
from dagdsl.benchmark.routes import router_layers, set_active_share
from dagdsl.benchmark.subjects import loss_of, random_inputs
from dagdsl.errors import UsageError
from dagdsl_compiler.driver import compile as compile_net
from dagdsl_compiler.driver import profile
from dagdsl_compiler.plan import active_share

GATED = """
router gate = gap |> fc |> sigmoid |> threshold(0.5)
net Gated(classes: int = 10) {
  input image: f32[3, 12, 12]
  node stem: conv(8, stride = 2) |> bn |> relu
  stage s { node n[4]: conv |> bn |> relu  connect complete via gate }
  node logits: gap |> fc(classes)
  image -> stem -> s -> logits
  output logits
}
"""
STATIC = """
net Static {
  input image: f32[3, 32, 32]
  node logits: conv(4, stride = 4) |> relu |> gap |> fc(10)
  image -> logits
  output logits
}
"""
TINY = BenchPlan(backend="eager", rounds=5)


@pytest.mark.parametrize("wanted", [0.3, 0.6, 1.0])
def test_routers_reach_a_share(wanted: float) -> None:
    model = compile_net(dagdsl.loads(GATED), backend="eager", seed=0).eval()
    inputs = random_inputs(model.net, 32)
    measured = set_active_share(model, wanted, inputs)
    assert active_share(model.net, measured) == pytest.approx(wanted, abs=0.05)
    assert measured == profile(model, [inputs])
    if wanted < 1:
        assert any(0 < share < 1 for share in measured.edges.values()), "samples differ"


def test_router_layers_compute_the_logits() -> None:
    text = GATED.replace("gap |> fc |>", "gap |> fc(3) |> relu |> fc |>")
    model = compile_net(dagdsl.loads(text), backend="eager")
    assert sorted(fc.out_features for fc in router_layers(model)) == [1, 2, 3, 4, 5]


def test_rows_of_every_mode_share_and_batch() -> None:
    plan = replace(TINY, batches=(1, 3), shares=(0.5, 1.0))
    rows = list(bench(dagdsl.loads(GATED), plan))
    names = [(row.batch, row.name) for row in rows]
    one = [(1, "static"), (1, "branch"), (1, "auto"), (3, "static"), (3, "grouped"), (3, "auto")]
    assert names == 2 * one
    assert all(row.reference == "static" and row.milliseconds.median > 0 for row in rows)
    assert all(row.active < 1 for row in rows[:6])
    assert all(row.active == 1 for row in rows[6:])


def test_baseline_is_the_reference() -> None:
    plan = replace(TINY, batches=(1,), modes=("eager",), against="torchvision:squeezenet1_1")
    rows = list(bench(dagdsl.loads(STATIC), plan))
    assert [row.name for row in rows] == ["torchvision:squeezenet1_1", "eager"]
    assert {row.reference for row in rows} == {"torchvision:squeezenet1_1"}
    assert rows[1].active == 1.0


def test_training_rows_have_memory() -> None:
    rows = list(bench(dagdsl.loads(STATIC), replace(TINY, batches=(2,), train=True)))
    assert [row.name for row in rows] == ["dense", "eager"]
    assert rows[0].peak_bytes == rows[1].peak_bytes
    assert rows[0].peak_bytes is not None
    weights = 4 * (3 * 3 * 3 * 4 + 4 * 10 + 10)
    assert rows[0].peak_bytes > 2 * weights


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (BenchPlan(modes=("fast",)), "there is no mode `fast`"),
        (BenchPlan(modes=("grouped",), train=True), "`dense` and `eager` can train"),
        (BenchPlan(modes=("branch",), batches=(8,)), "one sample"),
        (BenchPlan(batches=()), "must be at least 1"),
        (BenchPlan(shares=(1.5,)), "between 0 and 1"),
        (BenchPlan(backend="none"), "there is no backend"),
        (BenchPlan(against="timm:resnet50"), "is written torchvision:NAME"),
        (BenchPlan(against="torchvision:resnet5000"), "no model `resnet5000`"),
    ],
)
def test_invalid_plans(plan: BenchPlan, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bench(dagdsl.loads(GATED), plan)


def test_peak_of_live_tensors() -> None:
    def step() -> None:
        a = torch.zeros(1000, 1000)
        b = torch.zeros(500, 1000)
        del b
        c = a + a
        del a, c

    assert peak_bytes(step) == 8_000_000


def test_loss_of_any_outputs() -> None:
    flat, image = torch.randn(2, 3), torch.randn(2, 3, 4, 4)
    for outputs in (flat, image, {"logits": flat, "features": {"a": image}}, {"a": {"b": image}}):
        assert loss_of(outputs).dim() == 0
