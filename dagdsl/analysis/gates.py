"""IR -> warnings about routers and thresholds that are allowed but probably unintended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, tanh
from types import MappingProxyType
from typing import Final

from dagdsl.analysis.shapes import read_by
from dagdsl.diagnostics.sink import Sink
from dagdsl.ir.nodes import Activation, Graph, Net, Router
from dagdsl.ir.paths import graphs_in
from dagdsl.source import Origin

MIN_MARGIN = 0.2
"""In experiments, routers that started closer to their threshold closed permanently."""

_START: Final[Mapping[Activation, Callable[[float], float]]] = MappingProxyType(
    {
        "sigmoid": lambda x: 1 / (1 + exp(-x)),
        "relu_tanh": lambda x: max(tanh(x), 0.0),
        "hard_concrete": lambda x: min(max(1.2 / (1 + exp(-x)) - 0.1, 0.0), 1.0),
    }
)
"""Activation -> the weight of an edge as a function of its logit."""


def check_gates(net: Net, sink: Sink) -> None:
    """Report edges that can never open or never close, and routers that start nearly closed."""
    by_origin: dict[Origin, list[Router]] = {}
    for graph in graphs_in((net.graph,)):
        for router in graph.routers:
            if router.origin is None:
                continue
            by_origin.setdefault(router.origin, []).append(router)
            _check_input(router, graph, sink)
            if router.threshold is not None:
                _check_threshold(router, router.threshold, router.origin, sink)
    for origin, routers in by_origin.items():
        # A pattern wires many nodes. Report it only if all their gates are always open: that of
        # the last node of a stage often is, because it has a single edge.
        reasons = [_always_open(router) for router in routers]
        if all(reasons):
            sink.warning(
                "DG0804",
                origin,
                f"these gates are always open: {reasons[0]}",
                label="decides nothing",
                help="use a larger `tau` or a smaller `k`, or remove the gate",
            )


def _check_threshold(router: Router, tau: float, at: Origin, sink: Sink) -> None:
    value, init = _param(router, "value"), _param(router, "init")
    largest, start = 1.0, None
    if router.activation == "none" and value is not None:
        largest = start = value
    elif router.activation == "none":
        return
    elif router.activation in _START and not router.normalise:
        logit = value if init is None else init
        start = None if logit is None else _START[router.activation](logit)
    if tau >= largest:
        sink.error(
            "DG0802",
            at,
            f"the edges of this router can never open: no weight is above {tau:g}",
            label=f"weights are at most {largest:g}",
            help="use a smaller `tau`",
        )
    elif start is not None and start - tau < MIN_MARGIN and router.train == "hard":
        sink.warning(
            "DG0803",
            at,
            f"the weights start at {start:.2f}, close to the threshold of {tau:g}",
            label="edges may close early and receive no gradient that reopens them",
            help='use a smaller `tau`, a larger `init` of `fc`, or `train = "straight_through"`',
        )


def _always_open(router: Router) -> str:
    """Why a gate with a closing decision never closes an edge. Empty if it may."""
    tau, most = router.threshold, max(router.groups)
    if router.topk is not None and router.topk < most:
        return ""
    if router.topk is not None and tau is None:
        edges = "edge" if most == 1 else f"{most} edges"
        return f"`topk({router.topk})` of {edges} closes none"
    if tau is None:
        return ""
    if router.activation == "softmax" and most == 1:
        return "a softmax over one edge is one"
    if router.activation in ("sigmoid", "softmax") and tau == 0:
        return f"`{router.activation}` is never zero"
    value = _param(router, "value")
    if router.activation == "none" and value is not None and value > tau:
        return f"the weight is {value:g}, above {tau:g}"
    return ""


def _check_input(router: Router, graph: Graph, sink: Sink) -> None:
    x = read_by(router, graph)
    for op in router.steps:
        if x == (1,) and "channels" in op.params:
            sink.warning(
                "DG0805",
                op.origin or router.origin,  # type: ignore[arg-type]
                "this router decides by one number per image, because it reads a single channel",
                label="gets one feature",
                help="let it read more channels, or insert `conv(8)` before `gap`",
            )
        x = op.shape


def _param(router: Router, name: str) -> float | None:
    """The parameter `name` of the last step of the router that has it."""
    for op in reversed(router.steps):
        if name in op.params:
            value = op.params[name]
            return None if value is None else float(value)
    return None
