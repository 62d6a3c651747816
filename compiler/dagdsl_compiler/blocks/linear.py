"""Fully connected layers."""

from __future__ import annotations

from torch import nn

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.blocks.spec import Modules, real


def fc(x: Shape, op: Op) -> nn.Linear:
    """`(C,)` -> `(channels,)`.

    With `init`: bias `init` and weights N(0, 0.01), so that routers start open.
    """
    module = nn.Linear(x[0], op.shape[0], bias=bool(op.params["bias"]))
    if op.params["init"] is not None:
        nn.init.normal_(module.weight, std=0.01)
        if module.bias is not None:
            nn.init.constant_(module.bias, real(op, "init"))
    return module


MODULES: Modules = {"fc": fc}
