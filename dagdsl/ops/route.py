"""The ops of routers only: their input, logits that depend on no input, and decisions."""

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
        "The input of the router: the `source` of its edges, the unweighted sum of the edges into "
        'their `target`, or the input of the `stage`. The default is `reads("source")`.',
        (
            Param(
                "where",
                "str",
                "source",
                "what the router reads",
                choices=("source", "target", "stage"),
            ),
        ),
        role="reads",
    ),
    OpSpec(
        "learned",
        "One learned weight per edge, the same for every sample (TopoNet, arXiv 2008.08261).",
        (Param("init", "float", 1.0, "initial value", low=-100.0, high=100.0), _EDGES),
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
        "No router: edges are always open with weight one, as without `via`. For use in `choose`.",
        role="decision",
    ),
    OpSpec("softmax", "Positive weights that sum to one.", role="decision"),
    OpSpec("relu_tanh", "max(tanh(x), 0): exactly zero for every negative logit.", role="decision"),
    OpSpec(
        "hard_concrete",
        "min(max(1.2 * sigmoid(x) - 0.1, 0), 1): exactly zero or one if the sigmoid is within 1/12 "
        'of it. With `noise("logistic")` before it, the gate of L0 regularisation (arXiv '
        "1712.01312).",
        role="decision",
    ),
    OpSpec(
        "topk",
        "Keeps the `k` edges with the largest weights open and closes the others. Edges compete "
        "with those that `softmax` normalises over: the edges of the source, into the target, or, "
        "if the router reads the stage, into each node. Open edges keep their weight; only they "
        "receive gradients.",
        (Param("k", "int", REQUIRED, "number of edges that stay open", low=1),),
        role="decision",
    ),
    OpSpec("normalise", "Divides the weights by their sum.", role="decision"),
    OpSpec(
        "threshold",
        "Closes every edge whose weight does not exceed `tau`; an open edge keeps its weight.",
        (
            Param(
                "tau",
                "float",
                REQUIRED,
                "an edge is open if its weight exceeds this",
                low=0.0,
                high=1.0,
            ),
            Param(
                "train",
                "str",
                "hard",
                "how the gate trains: `hard` (gradients flow through open edges only), `soft` (no "
                "edge closes in training), `straight_through` (edges close, but gradients flow as "
                "if they did not)",
                choices=get_args(GateTraining),
            ),
            Param(
                "dead",
                "str",
                "zero",
                "a node without an open incoming edge: `zero` (it is not computed, and its "
                "outgoing edges close) or `keep_strongest` (its strongest incoming edge stays "
                "open)",
                choices=get_args(Dead),
            ),
            Param("binary", "bool", False, "whether an open edge weighs one instead of its weight"),
        ),
        role="decision",
    ),
)

ACTIVATIONS = ("sigmoid", "softmax", "relu_tanh", "hard_concrete")
"""The ops that turn the logits of a router into weights."""


def clash_of(topk: int | None, binary: bool, train: GateTraining, dead: Dead) -> str | None:
    """Return why the decisions of a router contradict each other, or None if they do not."""
    if binary and train == "soft":
        return "`soft` keeps the weights in training, but `binary` sets them to one"
    if topk is not None and dead == "keep_strongest":
        return "`topk` fixes which edges stay open, but `keep_strongest` would reopen others"
    return None
