"""Element-wise non-linearities."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from dagdsl_compiler.blocks.spec import Calls, FunctionCall

CALLS: Calls = {
    "relu": lambda op: FunctionCall(F.relu),
    "relu6": lambda op: FunctionCall(F.relu6),
    "silu": lambda op: FunctionCall(F.silu),
    "gelu": lambda op: FunctionCall(F.gelu),
    "hardswish": lambda op: FunctionCall(F.hardswish),
    "hardsigmoid": lambda op: FunctionCall(F.hardsigmoid),
    "sigmoid": lambda op: FunctionCall(torch.sigmoid),
    "tanh": lambda op: FunctionCall(torch.tanh),
    "zero": lambda op: FunctionCall(torch.zeros_like),
}
