"""Normalisation and regularisation."""

from __future__ import annotations

from dagdsl.ir.nodes import Shape
from dagdsl.ops.spec import Cost, OpSpec, Param, Params, ShapeError, whole


def _affine(x: Shape, y: Shape, p: Params) -> Cost:
    # It folds into the preceding convolution: two parameters per channel, no MACs.
    return Cost(2 * x[0], 0)


def _gn_shape(x: Shape, p: Params) -> Shape:
    if x[0] % whole(p, "groups"):
        raise ShapeError(
            f"`gn` cannot split {x[0]} channels into {p['groups']} groups",
            "`groups` must divide the number of channels",
        )
    return x


OPS = (
    OpSpec(
        "bn",
        "Batch normalisation over the channels, with learned scale and shift.",
        (
            Param("eps", "float", 1e-5, "added to the variance", low=1e-12, high=1.0),
            Param(
                "momentum",
                "float",
                0.1,
                "weight of the current batch in the running statistics",
                low=0.0,
                high=1.0,
            ),
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
        "In training, zeroes random features and scales up the others.",
        (Param("p", "float", 0.5, "probability of zeroing a feature", low=0.0, high=0.999),),
    ),
    OpSpec(
        "noise",
        "In training, adds random noise and divides by a temperature; the identity in evaluation. "
        "Before the activation of a router it makes gates explore: `logistic` noise with `sigmoid` "
        "is the binary Gumbel-softmax, `gumbel` noise with `softmax` the Gumbel-softmax, "
        "`logistic` noise with `hard_concrete` the gate of L0 regularisation, and `normal` noise "
        "with `topk` the noisy top-k of mixtures of experts.",
        (
            Param(
                "kind",
                "str",
                "normal",
                "distribution of the noise",
                choices=("normal", "logistic", "gumbel"),
            ),
            Param("scale", "float", 1.0, "factor of the noise", low=0.0, high=100.0),
            Param(
                "temperature",
                "float",
                1.0,
                "divisor of the sum; lower values move gates closer to zero or one",
                low=0.01,
                high=100.0,
            ),
        ),
    ),
)
