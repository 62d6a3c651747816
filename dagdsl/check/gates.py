"""IR -> warnings about routers and thresholds that are allowed and probably not meant."""

from __future__ import annotations

from math import exp

from dagdsl.diagnostics.sink import Sink
from dagdsl.ir.nodes import Net, Router
from dagdsl.ir.walk import graphs_in
from dagdsl.source import Origin

MIN_MARGIN = 0.2
"""Routers that start closer to their threshold than this were seen to close for good."""


def check_gates(net: Net, sink: Sink) -> None:
    """Report edges that can never open and routers that start almost closed."""
    for graph in graphs_in((net.graph,)):
        for router in graph.routers:
            if router.origin is not None and router.threshold is not None:
                _check_threshold(router, router.threshold, router.origin, sink)


def _check_threshold(router: Router, tau: float, at: Origin, sink: Sink) -> None:
    last = router.steps[-1]
    largest, start = 1.0, None
    if router.activation == "none" and last.op == "constant":
        largest = start = float(last.params["value"] or 0)
    elif router.activation == "none":
        return
    elif router.activation == "sigmoid":
        init = last.params.get("init", last.params.get("value"))
        start = None if init is None else 1 / (1 + exp(-float(init)))
    if tau >= largest:
        sink.error(
            "DG0802",
            at,
            f"the edges of this router can never open: no weight is above {tau:g}",
            label=f"weights are at most {largest:g}",
            help="take a smaller `tau`",
        )
    elif start is not None and start - tau < MIN_MARGIN and router.train == "hard":
        sink.warning(
            "DG0803",
            at,
            f"the weights start at {start:.2f}, close to the threshold of {tau:g}",
            label="edges may close early and get no gradient to open again",
            help='take a smaller `tau`, a larger `init` of `fc`, or `train = "straight_through"`',
        )
