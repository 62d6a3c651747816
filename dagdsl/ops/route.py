"""What only routers use: where they look, weights that read nothing, and how they decide."""

from __future__ import annotations

from typing import get_args

from dagdsl.ir.nodes import Dead, GateTraining, Shape
from dagdsl.ops.spec import REQUIRED, Cost, OpSpec, Param, Params


def _weights(x: Shape, p: Params) -> Shape:
    return (int(p["channels"] or 0),)


_EDGES = Param("channels", "int", REQUIRED, "number of edges; filled in by the compiler", low=1)

OPS = (
    OpSpec(
        "reads",
        "Where the router looks: the `source` of the edges it weighs, the plain sum that enters "
        'their `target`, or the input of the `stage`. `reads("source")` if left out.',
        (Param("where", "str", "source", "what is read", choices=("source", "target", "stage")),),
        role="reads",
    ),
    OpSpec(
        "learned",
        "One learned weight an edge, the same for every sample (TopoNet, arXiv 2008.08261).",
        (_EDGES, Param("init", "float", 1.0, "start value", low=-100.0, high=100.0)),
        _weights,
        lambda x, y, p: Cost(y[0], 0),
        role="logit",
    ),
    OpSpec(
        "constant",
        "A fixed weight, the same for every edge and sample.",
        (_EDGES, Param("value", "float", 1.0, "the weight", low=-100.0, high=100.0)),
        _weights,
        role="logit",
    ),
    OpSpec("softmax", "Weights that are positive and sum to one.", role="decision"),
    OpSpec("relu_tanh", "max(tanh(x), 0): exactly zero for half of all logits.", role="decision"),
    OpSpec(
        "normalise", "Divides the weights by their sum, so that they sum to one.", role="decision"
    ),
    OpSpec(
        "threshold",
        "Closes every edge whose weight is not above `tau`; an open edge keeps its weight.",
        (
            Param("tau", "float", REQUIRED, "an edge is open above this weight", low=0.0, high=1.0),
            Param(
                "train",
                "str",
                "hard",
                "the gate in training: `hard` (gradient through open edges only), `soft` (closes "
                "nothing in training), `straight_through` (closes, gradient as if it did not)",
                choices=get_args(GateTraining),
            ),
            Param(
                "dead",
                "str",
                "zero",
                "a node with no open in-edge: `zero` (is not computed, its out-edges close too) or "
                "`keep_strongest` (its strongest in-edge stays open)",
                choices=get_args(Dead),
            ),
        ),
        role="decision",
    ),
)

ACTIVATIONS = ("sigmoid", "softmax", "relu_tanh")
"""The decisions that turn logits into weights."""
