"""Element-wise non-linearities."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from dagdsl_compiler.blocks.spec import Call, Calls

CALLS: Calls = {
    "relu": lambda op: Call(F.relu),
    "relu6": lambda op: Call(F.relu6),
    "silu": lambda op: Call(F.silu),
    "gelu": lambda op: Call(F.gelu),
    "hardswish": lambda op: Call(F.hardswish),
    "hardsigmoid": lambda op: Call(F.hardsigmoid),
    "sigmoid": lambda op: Call(torch.sigmoid),
    "tanh": lambda op: Call(torch.tanh),
    "zero": lambda op: Call(torch.zeros_like),
}
