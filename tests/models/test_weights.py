"""With torchvision's weights, the nets of `std/models` compute what torchvision's models compute.

The largest net has 83 million parameters. To keep the process small, both models share the memory
of their weights once these are known to be equal. What one model has to wait for while the other
is built or run is kept in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO, TypeAlias

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

import dagdsl
from dagdsl.ir.nodes import Net
from tests.memory import free
from tests.models.torchvision_models import build

SIZE = 64
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}
"""Largest difference, relative to the largest value of a tensor, after up to 101 layers.

A fully connected layer adds in another order than the 1 x 1 convolution that it stands for.
Training is compared in float64: batch statistics of eight values amplify rounding errors."""

LARGE = "mobilenet_v2 of width 1.4"
IN_TRAINING = {
    "resnet101": "resnet26",
    "resnext101_64x4d": "resnext26_64x4d",
    "regnet_y_8gf": "regnet_y_1_6gf",
}
"""Smaller nets for training, whose weights take twice the memory: fewer of the same blocks."""
TWO_EACH = {
    "resnet26": (
        'import "std/models/resnet.dg" as family import "std/resnet.dg" as blocks '
        "net resnet26 = family.resnet(blocks.bottleneck, [2, 2, 2, 2])",
        {},
    ),
    "resnext26_64x4d": (
        'import "std/models/resnext.dg" as family '
        "net resnext26_64x4d = family.resnext([2, 2, 2, 2], groups = 64, group = 4)",
        {"groups": 64, "width_per_group": 4},
    ),
}
"""Nets that the library does not name, with two blocks per stage: source, torchvision's params."""
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
CASES = [
    *((family, name, False) for family, name in PAIRS),
    *((family, IN_TRAINING.get(name, name), True) for family, name in PAIRS),
]


def unloaded(family: str, name: str) -> tuple[Net, nn.Module]:
    """Our net and torchvision's model."""
    if name == LARGE:
        net = dagdsl.load(f"std/models/{family}.dg", size=SIZE, width=1.4)
        return net, build(family, width_mult=1.4)
    if name in TWO_EACH:
        source, params = TWO_EACH[name]
        return dagdsl.loads(source, size=SIZE), ResNet(Bottleneck, [2, 2, 2, 2], **params)
    return dagdsl.load(f"std/models/{family}.dg", net=name, size=SIZE), build(name)


def loaded(family: str, name: str, dtype: torch.dtype) -> tuple[nn.Module, nn.Module]:
    """Our net and torchvision's, with the same weights and statistics."""
    free()
    torch.manual_seed(0)
    net, theirs = unloaded(family, name)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    theirs.to(torch.bfloat16)  # half the memory; every value is exact in float32 and float64
    with TemporaryFile() as file:
        torch.save(theirs.state_dict(), file)
        theirs.to("meta")
        free()
        ours = dagdsl.compile(net.only("logits"), backend="eager").to(torch.bfloat16)
        free()
        file.seek(0)
        theirs.load_state_dict(torch.load(file), assign=True)
    dagdsl.load_torchvision_weights(ours, theirs.state_dict())
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.reshape(other.shape), other)
        mine.data = mine.data.to(dtype)
        other.data = mine.data.reshape(other.shape)
    free()
    return ours.to(dtype), theirs.to(dtype)


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    theirs = theirs.detach()
    scale = float(theirs.abs().max()) or 1.0
    error = float((ours.detach().reshape(theirs.shape) - theirs).abs().max()) / scale
    assert error < TOLERANCE[theirs.dtype]


OnGradient: TypeAlias = Callable[[int, Tensor], None]
"""Takes the index of a parameter and its gradient."""


@contextmanager
def gradients_go_to(model: nn.Module, take: OnGradient) -> Iterator[None]:
    """Hand each gradient to `take` as soon as it is complete, and free it."""

    def hand_over(index: int, parameter: Tensor) -> None:
        assert parameter.grad is not None
        take(index, parameter.grad)
        parameter.grad = None

    parameters = list(model.parameters())
    hooks = [
        parameter.register_post_accumulate_grad_hook(partial(hand_over, index))  # type: ignore[no-untyped-call]
        for index, parameter in enumerate(parameters)
    ]
    yield
    for hook in hooks:
        hook.remove()


class Spilled:
    """Gradients in a file, by the index of their parameter."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.places: dict[int, tuple[int, int]] = {}

    def put(self, index: int, gradient: Tensor) -> None:
        start = self.file.seek(0, 2)
        self.places[index] = start, self.file.write(gradient.contiguous().numpy().tobytes())

    def compare(self, index: int, gradient: Tensor) -> None:
        """Compare a gradient with the stored one, which is dropped."""
        start, size = self.places.pop(index)
        self.file.seek(start)
        stored = torch.frombuffer(bytearray(self.file.read(size)), dtype=gradient.dtype)
        assert_close(stored, gradient)


@pytest.mark.parametrize(
    ("family", "name", "training"),
    CASES,
    ids=[f"{'training' if training else 'evaluation'}-{name}" for _, name, training in CASES],
)
def test_outputs_gradients_and_statistics(family: str, name: str, training: bool) -> None:
    dtype = torch.float64 if training else torch.float32
    ours, theirs = loaded(family, name, dtype)
    x = torch.randn(2, 3, SIZE, SIZE, dtype=dtype)
    weights = torch.randn(2, 1000, dtype=dtype)
    logits: list[Tensor] = []
    with TemporaryFile() as file:
        spilled = Spilled(file)
        for model, take in ((ours, spilled.put), (theirs, spilled.compare)):
            model.train(training)
            torch.manual_seed(1)  # for the dropout of MobileNetV2
            with gradients_go_to(model, take):
                found = model(x)
                (found * weights).mean().backward()
            logits.append(found.detach())
            del found
            free()
            if model is ours:
                assert spilled.places.keys() == set(range(len(list(ours.parameters()))))
        assert not spilled.places
    assert_close(*logits)
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


def test_weights_may_be_neither_left_over_nor_missing() -> None:
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


def test_a_rejected_state_dict_changes_nothing() -> None:
    model = small()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    other = {key: value + 1 for key, value in before.items()}
    other["logits.fc.bias"] = torch.ones(1)
    with pytest.raises(dagdsl.UsageError):
        dagdsl.load_torchvision_weights(model, other)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
