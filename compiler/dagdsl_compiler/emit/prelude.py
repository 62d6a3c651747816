"""Classes and functions that are copied into an emitted file, besides those of the runtime."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Modules(nn.Module):
    """A container of named modules. The names appear in checkpoint keys."""

    def __init__(self, /, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class Steps(Modules):
    """Named modules, applied in order."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the modules in order."""
        for step in self.children():
            x = step(x)
        return x


class GlobalAvgPool(nn.Module):
    """Average over height and width."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C]."""
        return x.mean((2, 3))


class Zero(nn.Module):
    """Replaces its input with zeros of the same shape."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros of the shape of `x`."""
        return torch.zeros_like(x)


def conv(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    dilation: int = 1,
    bias: bool = False,
) -> nn.Conv2d:
    """Make a convolution with Kaiming-normal weights.

    At stride 1, an odd kernel keeps height and width.
    """
    padding = dilation * (kernel - 1) // 2
    module = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias)
    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if module.bias is not None:
        nn.init.zeros_(module.bias)
    return module


def router_fc(inputs: int, outputs: int, init: float, bias: bool = True) -> nn.Linear:
    """Make the last layer of a router. Weights start near zero, and the bias at `init`."""
    module = nn.Linear(inputs, outputs, bias)
    nn.init.normal_(module.weight, std=0.01)
    if module.bias is not None:
        nn.init.constant_(module.bias, init)
    return module
