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
        (Param("init", "float", 1.0, "start value", low=-100.0, high=100.0), _EDGES),
        _weights,
        lambda x, y, p: Cost(y[0], 0),
        role="logit",
    ),
    OpSpec(
        "constant",
        "A fixed weight, the same for every edge and sample.",
        (Param("value", "float", 1.0, "the weight", low=-100.0, high=100.0), _EDGES),
        _weights,
        role="logit",
    ),
    OpSpec(
        "always",
        "No router: its edges are always open and weigh one, as if `via` were not there. For "
        "`choose`.",
        role="decision",
    ),
    OpSpec("softmax", "Weights that are positive and sum to one.", role="decision"),
    OpSpec("relu_tanh", "max(tanh(x), 0): exactly zero for half of all logits.", role="decision"),
    OpSpec(
        "hard_concrete",
        "min(max(1.2 * sigmoid(x) - 0.1, 0), 1): exactly zero or one where the sigmoid is within "
        "a twelfth of it. The gates of L0 regularisation (arXiv 1712.01312), with "
        '`noise("logistic")` before it.',
        role="decision",
    ),
    OpSpec(
        "topk",
        "Closes all edges but the `k` of largest weight, among those that leave the source, enter "
        "the target, or enter each node of the stage: what softmax sums over. An open edge keeps "
        "its weight, and alone has a gradient.",
        (Param("k", "int", REQUIRED, "how many edges stay open", low=1),),
        role="decision",
    ),
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
            Param("binary", "bool", False, "whether an open edge weighs one, not its weight"),
        ),
        role="decision",
    ),
)

ACTIVATIONS = ("sigmoid", "softmax", "relu_tanh", "hard_concrete")
"""The decisions that turn logits into weights."""


def clash_of(topk: int | None, binary: bool, train: GateTraining, dead: Dead) -> str | None:
    """Why the decisions of a router contradict one another; None if they do not."""
    if binary and train == "soft":
        return "`soft` leaves the weights as they are in training, `binary` makes them one"
    if topk is not None and dead == "keep_strongest":
        return "`topk` says which edges stay open, `keep_strongest` would reopen others"
    return None
