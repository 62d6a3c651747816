"""Classes that an emitted file may need besides the runtime; copied into it as text."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Modules(nn.Module):
    """Modules by name. The names are part of the keys of a checkpoint."""

    def __init__(self, /, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class Steps(Modules):
    """Modules applied one after the other."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply them."""
        for step in self.children():
            x = step(x)
        return x


class GlobalAvgPool(nn.Module):
    """The mean over height and width."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C]."""
        return x.mean((2, 3))


class Zero(nn.Module):
    """Zeros of the shape of the input."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape as `x`."""
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
    """A convolution that keeps the size at stride 1 and an odd kernel; Kaiming normal weights."""
    padding = dilation * (kernel - 1) // 2
    module = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias)
    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if module.bias is not None:
        nn.init.zeros_(module.bias)
    return module


def router_fc(inputs: int, outputs: int, init: float, bias: bool = True) -> nn.Linear:
    """The last layer of a router: it starts with weights near zero and the bias `init`."""
    module = nn.Linear(inputs, outputs, bias)
    nn.init.normal_(module.weight, std=0.01)
    if module.bias is not None:
        nn.init.constant_(module.bias, init)
    return module
