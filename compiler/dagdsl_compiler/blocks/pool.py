"""Pooling and flattening."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from dagdsl.ir.nodes import Op
from dagdsl_compiler.blocks.spec import Calls, FunctionCall, integer


def _window(op: Op) -> dict[str, Any]:
    kernel = integer(op, "kernel")
    return {
        "kernel_size": kernel,
        "stride": integer(op, "stride"),
        "padding": (kernel - 1) // 2,
    }


CALLS: Calls = {
    "maxpool": lambda op: FunctionCall(F.max_pool2d, _window(op)),
    "avgpool": lambda op: FunctionCall(F.avg_pool2d, {**_window(op), "count_include_pad": False}),
    "gap": lambda op: FunctionCall(torch.mean, {"dim": (2, 3)}),
    "flatten": lambda op: FunctionCall(torch.flatten, {"start_dim": 1}),
}
