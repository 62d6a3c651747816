"""Training: the net learns, events are reported, and failures stop the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dagdsl.data import Data, catalogue, digits
from dagdsl.data.splits import DataRequest
from dagdsl.data.tensors import TensorSplit
from dagdsl.errors import UsageError
from dagdsl.training import loop
from dagdsl.training.evaluate import evaluate
from dagdsl.training.loop import train
from dagdsl.training.metrics import EpochMetrics
from dagdsl.training.observer import Observer, RunPlan
from dagdsl_compiler.driver import compile as compile_net
from tests.data.test_folder import paint
from tests.train.nets import config, tiny


class Watching(Observer):
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.warnings: list[str] = []
        self.epochs: list[EpochMetrics] = []

    def started(self, plan: RunPlan) -> None:
        self.calls.append(f"started {plan.net} {plan.first_epoch} {plan.steps_per_epoch}")

    def stepped(self, epoch: int, step: int, loss: float) -> None:
        self.calls.append(f"stepped {epoch} {step}")

    def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
        self.calls.append(f"finished {metrics.epoch} {is_best}")
        self.epochs.append(metrics)

    def warned(self, message: str) -> None:
        self.warnings.append(message)


def test_the_run_folder(tmp_path: Path) -> None:
    out, net, watching = tmp_path / "new" / "run", tiny(), Watching()
    summary = train(net, config(epochs=2), out, observer=watching)
    assert sorted(path.name for path in out.iterdir()) == [
        "best.safetensors",
        "config.json",
        "ir.json",
        "last.safetensors",
        "metrics.jsonl",
        "summary.json",
    ]
    assert json.loads((out / "summary.json").read_text()) == summary.model_dump(mode="json")
    lines = [EpochMetrics.model_validate_json(x) for x in (out / "metrics.jsonl").open()]
    assert lines == watching.epochs
    assert [line.epoch for line in lines] == [1, 2]
    assert summary.seconds == sum(line.seconds for line in lines)
    assert summary.ir_hash == net.hash
    assert summary.val_accuracy == max(line.val_accuracy for line in lines)
    assert summary.test_samples == 359
    assert summary.parameters == sum(p.numel() for p in compile_net(net).parameters())
    assert summary.open_edge_rate.keys() == {"s1"}
    assert watching.calls[0] == "started Tiny 1 10"
    assert watching.calls[-2:] == ["stepped 2 10", "finished 2 True"]
    assert watching.calls.index("finished 1 True") == watching.calls.index("stepped 1 10") + 1


def test_the_seed_determines_the_run(tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
        train(tiny(), config(epochs=1, seed=seed), tmp_path / name)
        return load_file(tmp_path / name / "best.safetensors")

    first = weights("a", 0)
    torch.manual_seed(99)
    second, other = weights("b", 0), weights("c", 1)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["stem.conv.weight"], other["stem.conv.weight"])


def test_every_parameter_changes(tmp_path: Path) -> None:
    net = tiny()
    train(net, config(epochs=1, weight_decay=0.0), tmp_path / "run")
    trained = load_file(tmp_path / "run" / "best.safetensors")
    fresh = dict(compile_net(net, seed=0).named_parameters())
    assert sum("routers" in name for name in fresh) == 6
    still = [name for name in fresh if torch.equal(fresh[name], trained[name])]
    assert still == []


def test_a_few_images_are_memorised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def few(argument: str, wanted: DataRequest) -> Data:
        data = digits.open_digits(argument, wanted)
        assert isinstance(data.train, TensorSplit)
        split = replace(data.train, images=data.train.images[:32], labels=data.train.labels[:32])
        return replace(data, train=split, validation=split, test=split)

    monkeypatch.setattr(catalogue, "DATA_SETS", {"digits": few})
    recipe = config(
        epochs=120, batch_size=32, lr=0.02, augment=False, label_smoothing=0.0, weight_decay=0.0
    )
    summary = train(tiny(), recipe, tmp_path / "run")
    assert summary.test_accuracy == 1.0
    assert summary.test_loss < 0.05


@pytest.mark.parametrize(
    "changed", [{"optimizer": "sgd"}, {"amp": True}, {"channels_last": True}, {"augment": False}]
)
def test_recipes(tmp_path: Path, changed: dict[str, object]) -> None:
    watching = Watching()
    train(tiny(), config(epochs=2, **changed), tmp_path / "run", observer=watching)
    assert watching.epochs[1].train_loss < watching.epochs[0].train_loss < 2.4


def test_a_folder_of_images(tmp_path: Path) -> None:
    for part, count in (("train", 12), ("test", 4)):
        for i in range(count):
            paint(tmp_path / "images" / part / ("cat", "dog")[i % 2] / f"{i}.png", i)
    recipe = config(data=f"folder:{tmp_path / 'images'}", epochs=1, batch_size=4, workers=1)
    assert train(tiny(classes=2), recipe, tmp_path / "run").test_samples == 4
    (tmp_path / "images" / "test" / "cat" / "0.png").write_text("broken")
    with pytest.raises(UsageError, match="cannot read the image"):
        evaluate(tmp_path / "run", device="cpu")


def test_a_loss_that_is_not_finite_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "set_lr", lambda optimizer, lr: None)
    monkeypatch.setattr(loop, "REPORT_INTERVAL", 0.0)
    message = r"the loss became (nan|inf) in epoch 1, step \d: try a lower --lr"
    with pytest.raises(UsageError, match=message):
        train(tiny(), config(optimizer="sgd", lr=1e30), tmp_path / "run")
    assert not (tmp_path / "run" / "last.safetensors").exists()


def test_the_step_of_a_bad_loss_is_found() -> None:
    with pytest.raises(UsageError, match="became inf in epoch 3, step 42"):
        loop._check_finite([1.0, float("inf"), float("nan")], 3, 40)


def test_a_stage_closed_for_good_stops(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"after epoch 1 no open edge reaches the output of `s1` for 100%.*init"
    ):
        train(tiny(init=-3.0), config(), tmp_path / "run")


def test_a_closed_stage_that_can_open_is_a_warning(tmp_path: Path) -> None:
    watching, net = Watching(), tiny(init=-3.0, train="straight_through")
    train(net, config(epochs=1), tmp_path / "run", observer=watching)
    (warning,) = watching.warnings
    assert "no open edge reaches the output of `s1` for 100% of the validation images" in warning


def test_wrong_number_of_classes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"10 classes but Tiny has 7 logits: .*classes=10"):
        train(tiny(classes=7), config(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_run_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        train(tiny(), config(), tmp_path / "run")


def test_an_unknown_device(tmp_path: Path) -> None:
    for device in ("tpu9", "meta"):
        with pytest.raises(UsageError, match=f"device `{device}`"):
            train(tiny(), config(device=device), tmp_path / "run")
