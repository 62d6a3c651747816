"""The config, the optimizer, the schedule, and the net as a classifier."""

from __future__ import annotations

import pytest
import torch

import dagdsl
from dagdsl.errors import UsageError
from dagdsl.training.classifier import as_classifier
from dagdsl.training.config import TrainConfig
from dagdsl.training.optim import lr_at, make_optimizer
from dagdsl_compiler.driver import compile as compile_net
from tests.train.nets import config, tiny


def test_lr_follows_from_the_optimizer() -> None:
    assert TrainConfig().lr == 2e-3
    assert TrainConfig.of({"optimizer": "sgd"}).lr == 0.1
    assert TrainConfig.of({"optimizer": "sgd", "lr": None}).lr == 0.1
    assert TrainConfig.of({"optimizer": "sgd", "lr": 0.3}).lr == 0.3


def test_config_round_trips_through_json() -> None:
    for made in (TrainConfig(), config(optimizer="sgd", lr=0.05, amp=True)):
        assert TrainConfig.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "training option `epochs`: input should be greater than or equal to 1"),
        ({"optimizer": "lion"}, "training option `optimizer`: input should be 'adamw' or 'sgd'"),
        ({"lr": float("nan")}, "training option `lr`"),
        ({"colour": 1}, "training option `colour`: extra inputs are not permitted"),
    ],
)
def test_wrong_options(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainConfig.of(values)


def test_lr_rises_and_falls() -> None:
    recipe = config(lr=1.0, warmup=0.1)
    rates = [lr_at(step, 100, recipe) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * i for i in range(1, 11)])
    assert rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[99] < 0.001
    assert lr_at(0, 1, recipe) == 1.0
    assert lr_at(0, 1, config(lr=1.0, warmup=0.9)) == 1.0


def test_only_matrices_and_kernels_decay() -> None:
    model = compile_net(tiny(), backend="eager")
    decaying, others = make_optimizer(model, config(weight_decay=0.3)).param_groups
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.3, 0.0)
    assert all(p.dim() >= 2 for p in decaying["params"])
    assert all(p.dim() == 1 for p in others["params"])
    count = len(decaying["params"]) + len(others["params"])
    assert count == len(list(model.parameters()))


HEAD = """
edition 1
net Net {
  input image: f32[1, 8, 8]
  node stem: conv(4)
  node a: gap |> fc(5)
  node logits: gap |> fc(7)
  image -> stem -> a
  stem -> logits
"""


@pytest.mark.parametrize(
    ("outputs", "key", "classes"),
    [
        ("output a", None, 5),
        ("output a\n output stem", "a", 5),
        ("output a\n output logits", "logits", 7),
    ],
)
def test_the_logits_are_found(outputs: str, key: str | None, classes: int) -> None:
    net = dagdsl.loads(f"{HEAD} {outputs} }}")
    classifier = as_classifier(net)
    assert (classifier.output, classifier.classes) == (key, classes)
    images = torch.randn(2, *classifier.input)
    logits = classifier.logits(compile_net(net, backend="eager")(images))
    assert logits.shape == (2, classes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD} output stem }}", "no one-dimensional output"),
        (
            f"{HEAD.replace('logits', 'b')} output a\n output b }}",
            r"several one-dimensional outputs \(a, b\)",
        ),
        (
            "edition 1\nnet Net { input x: f32[1, 8, 8]\n input y: f32[1, 8, 8]\n"
            "node a: concat |> gap |> fc(2)\n x, y -> a\n output a }",
            "has 2 inputs",
        ),
    ],
)
def test_nets_that_are_not_classifiers(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        as_classifier(dagdsl.loads(text))
