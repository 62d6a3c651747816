"""The state dict of a torchvision model -> the weights of a network of the same architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

import torch
from torch import Tensor, nn

from dagdsl.errors import UsageError
from dagdsl.ops.spec import format_shape

_COUNTER = "num_batches_tracked"
"""A buffer that old state dicts lack. No forward pass reads it."""

_ROUTERS = "routers"
"""The part of a key that marks a graph's routers (see `dagdsl/ir/paths.py`)."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """The tensors of one module, by their names in the module: `weight`, `bias`, ..."""

    name: str
    tensors: dict[str, Tensor] = field(default_factory=dict)


def load_torchvision_weights(model: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Copy the weights of a torchvision model into `model`, in the order of their layers.

    The files of `std/models` declare their layers in torchvision's order. The tensors of a layer
    must have the same names (`weight`, `running_mean`, ...) and shapes; a 1 x 1 convolution matches
    a fully connected layer. Routers keep their weights. Either all weights are copied or none.

    Raises UsageError naming the first layers that do not match.
    """
    own = model.state_dict()
    ours = _layers({key: own[key] for key in own if _ROUTERS not in key.split(".")})
    theirs = _layers(state_dict)
    for number, (mine, other) in enumerate(zip_longest(ours, theirs), start=1):
        if mine is None:
            raise UsageError(f"the net has no layer for `{other.name}` and the weights after it")
        if other is None:
            raise UsageError(f"the weights have no layer for `{mine.name}` of the net")
        if not _fits(mine, other):
            raise UsageError(
                f"layer {number} does not match: `{mine.name}` of the net has {_describe(mine)}, "
                f"`{other.name}` of the weights has {_describe(other)}"
            )
    with torch.no_grad():
        for mine, other in zip(ours, theirs, strict=True):
            for name, tensor in other.tensors.items():
                mine.tensors[name].copy_(tensor.reshape(mine.tensors[name].shape))


def _layers(state_dict: Mapping[str, Tensor]) -> list[_Layer]:
    layers: dict[str, _Layer] = {}
    for key, tensor in state_dict.items():
        if not isinstance(tensor, Tensor):
            raise UsageError(f"`{key}` of the weights is not a tensor: pass a model's state dict")
        path, _, name = key.rpartition(".")
        layers.setdefault(path, _Layer(path)).tensors[name] = tensor
    return list(layers.values())


def _fits(mine: _Layer, other: _Layer) -> bool:
    names = mine.tensors.keys() - {_COUNTER}
    return names == other.tensors.keys() - {_COUNTER} and all(
        _core(mine.tensors[name]) == _core(other.tensors[name]) for name in names
    )


def _core(tensor: Tensor) -> tuple[int, ...]:
    """The shape of a tensor, without the kernel dimensions of a 1 x 1 convolution."""
    shape = tuple(tensor.shape)
    return shape[:2] if shape[2:] == (1, 1) else shape


def _describe(layer: _Layer) -> str:
    return ", ".join(
        f"{name} {format_shape(tuple(tensor.shape))}"
        for name, tensor in layer.tensors.items()
        if name != _COUNTER
    )
