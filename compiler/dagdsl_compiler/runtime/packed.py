"""Convolutions by oneDNN, with weights in the blocks that its kernels compute with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dagdsl_compiler.torch_private import (
    can_pack,
    packed_convolution,
    packed_weight,
    register_fake_packing,
)

ACTIVATIONS: Final[Mapping[Callable[..., Any], tuple[str, list[float], str]]] = MappingProxyType(
    {
        F.relu: ("relu", [], ""),
        F.relu6: ("hardtanh", [0.0, 6.0], ""),
        F.silu: ("swish", [], ""),
        F.gelu: ("gelu", [], "none"),
        F.hardswish: ("hardswish", [], ""),
        torch.sigmoid: ("sigmoid", [], ""),
        torch.tanh: ("tanh", [], ""),
    }
)
"""How the kernels are told of an activation: the last arguments of `_convolution_pointwise`."""
_BY_NAME: Final = {
    "none": ("none", [], ""),
    **{function.__name__: told for function, told in ACTIVATIONS.items()},
}


class PackedWeight(nn.Module):
    """The weights of a convolution, in blocks: a constant, once they are frozen."""

    weight: Tensor

    def __init__(self, conv: nn.Conv2d, batch: int | None, size: Iterable[int]) -> None:
        """The convolution will usually read so many samples of that height and width: a hint.

        Without a number of samples the weights stay as they are, for each call to lay them out.
        """
        super().__init__()
        self._layout = _layout(conv)
        self._hint = None if batch is None else [batch, conv.in_channels, *size]
        self.register_buffer("weight", conv.weight.detach())

    def forward(self) -> Tensor:
        """`[C', C / groups, kH, kW]`, opaque: for `PackedConvolution` only."""
        if self._hint is None:
            return self.weight
        return packed_weight(self.weight, self._layout, self._hint)


class PackedConvolution(nn.Module):
    """A convolution that is given its weights, and applies an activation."""

    bias: Tensor | None

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self._layout = _layout(conv)
        self.register_buffer("bias", None if conv.bias is None else conv.bias.detach())

    def forward(self, x: Tensor, weight: Tensor, activation: str = "none") -> Tensor:
        """`[B, C, H, W]` and what `PackedWeight` gives -> `[B, C', H', W']`."""
        return packed_convolution(x, weight, self.bias, self._layout, _BY_NAME[activation])


def _layout(conv: nn.Conv2d) -> tuple[Any, ...]:
    return conv.padding, conv.stride, conv.dilation, conv.groups


if can_pack():
    register_fake_packing()
