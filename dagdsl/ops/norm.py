"""Normalisation and regularisation."""

from __future__ import annotations

from dagdsl.ir.nodes import Shape
from dagdsl.ops.spec import Cost, OpSpec, Param, Params, ShapeError, whole


def _affine(x: Shape, y: Shape, p: Params) -> Cost:
    # Folds into the convolution before it: two parameters a channel, no products of its own.
    return Cost(2 * x[0], 0)


def _gn_shape(x: Shape, p: Params) -> Shape:
    if x[0] % whole(p, "groups"):
        raise ShapeError(
            f"`gn` cannot split {x[0]} channels into {p['groups']} groups",
            "`groups` must divide the channels",
        )
    return x


OPS = (
    OpSpec(
        "bn",
        "Batch normalisation over the channels, with learned scale and shift.",
        (
            Param("eps", "float", 1e-5, "added to the variance", low=1e-12, high=1.0),
            Param("momentum", "float", 0.1, "weight of a new batch", low=0.0, high=1.0),
        ),
        cost=_affine,
    ),
    OpSpec(
        "gn",
        "Group normalisation, with learned scale and shift.",
        (
            Param("groups", "int", 8, "number of groups", low=1),
            Param("eps", "float", 1e-5, "added to the variance", low=1e-12, high=1.0),
        ),
        _gn_shape,
        _affine,
    ),
    OpSpec(
        "dropout",
        "Zeroes features at random in training, and scales the others up.",
        (Param("p", "float", 0.5, "probability of a zero", low=0.0, high=0.999),),
    ),
    OpSpec(
        "noise",
        "Adds random numbers in training and divides by a temperature; nothing in evaluation. In a "
        "router, before the activation, it makes the gates try what they would not choose: "
        "`logistic` noise and `sigmoid` are the binary Gumbel-softmax, `gumbel` noise and "
        "`softmax` the Gumbel-softmax, `logistic` noise and `hard_concrete` the gates of L0 "
        "regularisation, `normal` noise and `topk` the noisy top-k of mixtures of experts.",
        (
            Param(
                "kind",
                "str",
                "normal",
                "distribution of the numbers",
                choices=("normal", "logistic", "gumbel"),
            ),
            Param("scale", "float", 1.0, "what they are multiplied by", low=0.0, high=100.0),
            Param(
                "temperature",
                "float",
                1.0,
                "what the sum is divided by: the lower, the nearer a gate is to zero or one",
                low=0.01,
                high=100.0,
            ),
        ),
    ),
)
