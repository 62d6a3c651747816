"""Element-wise non-linearities. At the end of a router, `sigmoid` is its activation."""

from __future__ import annotations

from dagdsl.ops.spec import OpSpec

OPS = (
    OpSpec("relu", "max(x, 0)."),
    OpSpec("relu6", "min(max(x, 0), 6)."),
    OpSpec("silu", "x * sigmoid(x), also known as swish."),
    OpSpec("gelu", "x * Phi(x), where Phi is the exact normal distribution function."),
    OpSpec("hardswish", "x * relu6(x + 3) / 6."),
    OpSpec("hardsigmoid", "relu6(x + 3) / 6."),
    OpSpec("sigmoid", "1 / (1 + exp(-x))."),
    OpSpec("tanh", "Hyperbolic tangent."),
    OpSpec("identity", "Returns its input."),
    OpSpec("zero", "Zeros of the same shape as the input: the `none` op of DARTS."),
)
