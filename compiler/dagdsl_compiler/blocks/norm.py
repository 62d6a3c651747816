"""Normalisation and regularisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.blocks.spec import Modules, integer, real


def bn(x: Shape, op: Op) -> nn.Module:
    """Batch normalisation of `(C, H, W)` or `(C,)`; initial scale 1, shift 0."""
    norm = nn.BatchNorm2d if len(x) == 3 else nn.BatchNorm1d
    return norm(x[0], eps=real(op, "eps"), momentum=real(op, "momentum"))


def gn(x: Shape, op: Op) -> nn.Module:
    """Group normalisation of `(C, H, W)` or `(C,)`; initial scale 1, shift 0."""
    return nn.GroupNorm(integer(op, "groups"), x[0], eps=real(op, "eps"))


def dropout(x: Shape, op: Op) -> nn.Module:
    """Dropout; the identity in evaluation."""
    return nn.Dropout(real(op, "p"))


class Noise(nn.Module):
    """Adds noise and divides by a temperature, in training only."""

    def __init__(self, kind: str, scale: float, temperature: float = 1.0) -> None:
        super().__init__()
        self.kind = kind
        self.scale = scale
        self.temperature = temperature

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape as `x`."""
        if not self.training:
            return x
        if self.kind == "normal":
            noise = torch.randn_like(x)
        else:
            # Excludes the ends of the interval, where the logarithms are infinite.
            u = torch.rand_like(x).clamp(1e-6, 1 - 1e-6)
            noise = u.logit() if self.kind == "logistic" else -(-u.log()).log()
        return (x + self.scale * noise) / self.temperature

    def extra_repr(self) -> str:
        """The distribution, its scale and the temperature."""
        return f"{self.kind}, {self.scale}, {self.temperature}"


def noise(x: Shape, op: Op) -> nn.Module:
    """Noise of a distribution; the identity in evaluation."""
    return Noise(str(op.params["kind"]), real(op, "scale"), real(op, "temperature"))


MODULES: Modules = {"bn": bn, "gn": gn, "dropout": dropout, "noise": noise}
