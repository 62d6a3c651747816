"""Convolutions by oneDNN with packed weights."""

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
"""Activation -> the arguments by which oneDNN's kernels know it."""
_BY_NAME: Final = {
    "none": ("none", [], ""),
    **{function.__name__: told for function, told in ACTIVATIONS.items()},
}


class PackedWeight(nn.Module):
    """The packed weights of a convolution, which freezing turns into a constant."""

    weight: Tensor

    def __init__(self, conv: nn.Conv2d, batch: int | None, size: Iterable[int]) -> None:
        """Pack for inputs of that batch size, height and width: a hint, not a requirement.

        Without a batch size the weights stay plain, and each call packs them.
        """
        super().__init__()
        self._layout = _layout(conv)
        self._hint = None if batch is None else [batch, conv.in_channels, *size]
        self.register_buffer("weight", conv.weight.detach())

    def forward(self) -> Tensor:
        """`[C', C / groups, kH, kW]`, in a layout that only `PackedConvolution` reads."""
        if self._hint is None:
            return self.weight
        return packed_weight(self.weight, self._layout, self._hint)


class PackedConvolution(nn.Module):
    """A convolution that takes its weights as an input and applies an activation."""

    bias: Tensor | None

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self._layout = _layout(conv)
        self.register_buffer("bias", None if conv.bias is None else conv.bias.detach())

    def forward(self, x: Tensor, weight: Tensor, activation: str = "none") -> Tensor:
        """`[B, C, H, W]` and the result of `PackedWeight` -> `[B, C', H', W']`."""
        return packed_convolution(x, weight, self.bias, self._layout, _BY_NAME[activation])


def _layout(conv: nn.Conv2d) -> tuple[Any, ...]:
    return conv.padding, conv.stride, conv.dilation, conv.groups


if can_pack():
    register_fake_packing()
