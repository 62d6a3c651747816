"""Resampling without weights."""

from __future__ import annotations

from typing import Any

from torch.nn import functional as F

from dagdsl.ir.nodes import Op
from dagdsl_compiler.blocks.spec import Calls, FunctionCall, real


def _upsample(op: Op) -> FunctionCall:
    mode = op.params["mode"]
    arguments: dict[str, Any] = {"scale_factor": real(op, "scale"), "mode": mode}
    if mode == "bilinear":
        arguments["align_corners"] = False
    return FunctionCall(F.interpolate, arguments)


CALLS: Calls = {"upsample": _upsample}
