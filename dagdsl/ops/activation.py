"""Element-wise non-linearities. `sigmoid` at the end of a router is its decision."""

from __future__ import annotations

from dagdsl.ops.spec import OpSpec

OPS = (
    OpSpec("relu", "max(x, 0)."),
    OpSpec("relu6", "min(max(x, 0), 6)."),
    OpSpec("silu", "x * sigmoid(x), also known as swish."),
    OpSpec("gelu", "x * Phi(x), with the exact normal distribution function."),
    OpSpec("hardswish", "x * relu6(x + 3) / 6."),
    OpSpec("hardsigmoid", "relu6(x + 3) / 6."),
    OpSpec("sigmoid", "1 / (1 + exp(-x))."),
    OpSpec("tanh", "Hyperbolic tangent."),
    OpSpec("identity", "The input itself."),
    OpSpec("zero", "Zeros of the shape of the input: the choice of no connection (DARTS)."),
)
