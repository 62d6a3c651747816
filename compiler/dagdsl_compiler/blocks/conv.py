"""Convolutions."""

from __future__ import annotations

from torch import nn

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.blocks.spec import Modules, integer


def conv(x: Shape, op: Op) -> nn.Conv2d:
    """`(C, H, W)` -> `(channels, H', W')`; Kaiming normal weights, as in torchvision's ResNet."""
    return _conv(x[0], op.shape[0], integer(op, "groups"), op)


def dwconv(x: Shape, op: Op) -> nn.Conv2d:
    """`(C, H, W)` -> `(C, H', W')`, one kernel per channel."""
    return _conv(x[0], x[0], x[0], op)


def _conv(inputs: int, outputs: int, groups: int, op: Op) -> nn.Conv2d:
    kernel, dilation = integer(op, "kernel"), integer(op, "dilation")
    module = nn.Conv2d(
        inputs,
        outputs,
        kernel,
        integer(op, "stride"),
        padding=dilation * (kernel - 1) // 2,
        dilation=dilation,
        groups=groups,
        bias=bool(op.params["bias"]),
    )
    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if module.bias is not None:
        nn.init.zeros_(module.bias)
    return module


MODULES: Modules = {"conv": conv, "dwconv": dwconv}
