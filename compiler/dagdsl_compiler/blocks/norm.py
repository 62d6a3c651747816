"""Normalisation and regularisation."""

from __future__ import annotations

from torch import nn

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.blocks.spec import Modules, integer, real


def bn(x: Shape, op: Op) -> nn.Module:
    """Batch normalisation of `(C, H, W)` or `(C,)`; scale 1, shift 0."""
    norm = nn.BatchNorm2d if len(x) == 3 else nn.BatchNorm1d
    return norm(x[0], eps=real(op, "eps"), momentum=real(op, "momentum"))


def gn(x: Shape, op: Op) -> nn.Module:
    """Group normalisation of `(C, H, W)` or `(C,)`; scale 1, shift 0."""
    return nn.GroupNorm(integer(op, "groups"), x[0], eps=real(op, "eps"))


def dropout(x: Shape, op: Op) -> nn.Module:
    """Dropout; the identity in evaluation."""
    return nn.Dropout(real(op, "p"))


MODULES: Modules = {"bn": bn, "gn": gn, "dropout": dropout}
