"""With torchvision's weights the nets of `std/models` compute what torchvision's models compute."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import dagdsl
from tests.models.torchvision_models import build

SIZE = 64
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}
"""Largest difference, relative to the largest value of a tensor, after up to 101 layers.

The two add up in another order where a fully connected layer stands for a 1 x 1 convolution. In
training that is tested in float64: batch statistics of eight values blow up the last digits."""

LARGE = "mobilenet_v2 of width 1.4"
PAIRS = [
    ("mobilenet_v2", "mobilenet_v2"),
    ("mobilenet_v2", LARGE),
    ("resnet", "resnet18"),
    ("resnet", "resnet101"),
    ("resnext", "resnext50_32x4d"),
    ("resnext", "resnext101_64x4d"),
    ("regnet", "regnet_x_400mf"),
    ("regnet", "regnet_y_400mf"),
    ("regnet", "regnet_y_8gf"),
]


def loaded(family: str, name: str) -> tuple[nn.Module, nn.Module]:
    """Our net and torchvision's, with the same weights and statistics."""
    torch.manual_seed(0)
    large = name == LARGE
    name = family if large else name
    theirs = build(name, width_mult=1.4) if large else build(name)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    net = dagdsl.load(
        f"std/models/{family}.dg", net=name, size=SIZE, **({"width": 1.4} if large else {})
    )
    ours = dagdsl.compile(net.only("logits"), backend="eager")
    dagdsl.load_torchvision_weights(ours, theirs.state_dict())
    return ours, theirs


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    theirs = theirs.detach()
    scale = float(theirs.abs().max()) or 1.0
    error = float((ours.detach().reshape(theirs.shape) - theirs).abs().max()) / scale
    assert error < TOLERANCE[theirs.dtype]


@pytest.mark.parametrize(("family", "name"), PAIRS, ids=[name for _, name in PAIRS])
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_outputs_gradients_and_statistics(family: str, name: str, training: bool) -> None:
    pair = loaded(family, name)
    dtype = torch.float64 if training else torch.float32
    x = torch.randn(2, 3, SIZE, SIZE, dtype=dtype)
    weights = torch.randn(2, 1000, dtype=dtype)
    logits: list[Tensor] = []
    for model in pair:
        model.to(dtype).train(training)
        torch.manual_seed(1)  # for the dropout of MobileNetV2
        logits.append(model(x))
        (logits[-1] * weights).mean().backward()  # type: ignore[no-untyped-call]
    assert_close(*logits)
    ours, theirs = pair
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        assert_close(mine.grad, other.grad)
    for statistic, expected in zip(ours.buffers(), theirs.buffers(), strict=True):
        assert_close(statistic.to(dtype), expected.to(dtype))


def small() -> nn.Module:
    return dagdsl.compile(
        dagdsl.load("std/models/resnet.dg", net="resnet18", size=32, width=8), backend="eager"
    )


def test_shapes_must_be_equal() -> None:
    message = r"layer 1 does not match: `stem.conv` of the net has weight 8 x 3 x 7 x 7, `conv1` of"
    with pytest.raises(dagdsl.UsageError, match=message):
        dagdsl.load_torchvision_weights(small(), build("resnet18").state_dict())


def test_nothing_may_be_left_over_or_missing() -> None:
    weights = small().state_dict()
    first, last = next(iter(weights)), list(weights)[-2:]
    with pytest.raises(dagdsl.UsageError, match="no layer for `extra` and the weights"):
        dagdsl.load_torchvision_weights(small(), {**weights, "extra.weight": torch.ones(1)})
    for key in last:
        weights.pop(key)
    with pytest.raises(dagdsl.UsageError, match=r"the weights have no layer for `logits.fc`"):
        dagdsl.load_torchvision_weights(small(), weights)
    with pytest.raises(dagdsl.UsageError, match="is not a tensor"):
        dagdsl.load_torchvision_weights(small(), {first: 3})  # type: ignore[dict-item]


def test_a_refusal_changes_nothing() -> None:
    model = small()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    other = {key: value + 1 for key, value in before.items()}
    other["logits.fc.bias"] = torch.ones(1)
    with pytest.raises(dagdsl.UsageError):
        dagdsl.load_torchvision_weights(model, other)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
