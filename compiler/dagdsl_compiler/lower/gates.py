"""Routers and gates of the IR -> fx nodes: weights of edges and masks of open edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import fx

from dagdsl.ir.nodes import Edge, Router
from dagdsl.ir.paths import ElementPath
from dagdsl_compiler.lower.modules import soft_threshold
from dagdsl_compiler.lower.writer import Provenance, Writer
from dagdsl_compiler.runtime import gate as run
from dagdsl_compiler.runtime import liveness

Alive = Mapping[str, fx.Node]
"""Node that may be dead -> its mask of samples in which it is alive, `[B]` or `[1]`."""


@dataclass(frozen=True, slots=True, eq=False)
class LoweredEdge:
    """An edge with its path; `label` is the prefix of the names of its fx nodes."""

    edge: Edge
    at: ElementPath
    label: str

    @property
    def place(self) -> Provenance:
        """The provenance of its fx nodes."""
        return Provenance.of(self.at.label, self.edge)


@dataclass(frozen=True, slots=True)
class EdgeGate:
    """The weight of an edge (None: one) and whether it is open (None: always), `[B]` or `[1]`."""

    weight: fx.Node | None = None
    is_open: fx.Node | None = None


@dataclass(frozen=True, slots=True)
class LoweredRouter:
    """The results of a router, each a list with an entry, `[B]` or `[1]`, for each edge.

    `weights` are taken before the threshold, `gated` after it. Without a threshold no edge closes:
    both are the same, and `is_open` is None.
    """

    router: Router
    weights: fx.Node
    gated: fx.Node
    is_open: fx.Node | None


Keepers = Mapping[LoweredEdge, LoweredRouter]


def decide(write: Writer, router: Router, at: ElementPath, logits: fx.Node) -> LoweredRouter:
    """Activation, normalisation and threshold of a router; `logits` are `[B, E]` or `[1, E]`."""
    name, place = at.identifier, Provenance.of(at.label, router)

    def edges(tensor: fx.Node) -> fx.Node:
        # The gradient of `unbind` is one stack. Indexing edge by edge would sum one zero-filled
        # tensor per edge.
        return write.call(f"{tensor.name}_edges", place, torch.unbind, tensor, 1)

    weights = _weights(write, router, name, place, logits)
    is_open = None
    if router.topk is not None:
        is_open = write.call(
            f"{name}_top", place, run.strongest, weights, router.groups, router.topk
        )
        weights = write.call(f"{name}_topk", place, run.close, weights, is_open)
    if router.normalise:
        weights = write.call(f"{name}_normalise", place, run.normalise, weights, router.groups)
    if router.threshold is not None:
        path = soft_threshold(router, at)
        above = (
            write.call(f"{name}_open", place, run.above, weights, router.threshold)
            if path is None
            else write.module(f"{name}_open", place, path, weights)
        )
        is_open = (
            above
            if is_open is None
            else write.call(f"{name}_both", place, liveness.both, is_open, above)
        )
    if is_open is None:
        entries = edges(weights)
        return LoweredRouter(router, entries, entries, None)
    if router.threshold is None:
        # Top-k closed its edges before the rest was normalised.
        entries = edges(weights)
        return LoweredRouter(router, entries, entries, edges(is_open))
    gated = _close(write, f"{name}_gate", place, router, weights, is_open)
    return LoweredRouter(router, edges(weights), edges(gated), edges(is_open))


def gate_of(write: Writer, wire: LoweredEdge, decision: LoweredRouter | None) -> EdgeGate:
    """The gate of an edge as its router decides, regardless of the liveness of its source."""
    if decision is None:
        return EdgeGate()
    weight = _entry(write, wire, "w", decision.gated)
    if decision.is_open is None:
        return EdgeGate(weight)
    return EdgeGate(weight, _entry(write, wire, "open", decision.is_open))


def opened_gate(write: Writer, wire: LoweredEdge, decision: LoweredRouter | None) -> EdgeGate:
    """The gate of an edge pinned open: the weight from its router, regardless of the threshold."""
    if decision is None:
        return EdgeGate()
    weight = _entry(write, wire, "raw", decision.weights)
    if decision.router.binary:
        weight = write.call(f"{wire.label}_binary", wire.place, run.binary, weight)
    return EdgeGate(weight)


def keep_strongest(
    write: Writer, name: str, alive: Alive, gates: Mapping[LoweredEdge, EdgeGate], keepers: Keepers
) -> dict[LoweredEdge, EdgeGate]:
    """The gates of all incoming edges of a node, the strongest reopened where all are closed.

    `keepers` are the edges that may be reopened, with the decisions of their routers.
    """
    if not keepers:
        return dict(gates)
    others = [reach(write, w, gate, alive).is_open for w, gate in gates.items() if w not in keepers]
    if None in others:
        return dict(gates)
    raw = [_entry(write, wire, "raw", decision.weights) for wire, decision in keepers.items()]
    kept = write.call(
        f"{name}_kept",
        next(iter(keepers)).place,
        run.keep_strongest,
        raw,
        [gates[wire].is_open for wire in keepers],
        [alive.get(wire.edge.source) for wire in keepers],
        others,
    )
    result = dict(gates)
    for i, (wire, weight) in enumerate(zip(keepers, raw, strict=True)):
        is_open = write.item(f"{wire.label}_kept", wire.place, kept, i)
        router = keepers[wire].router
        result[wire] = EdgeGate(
            _close(write, f"{wire.label}_w", wire.place, router, weight, is_open), is_open
        )
    return result


def reach(write: Writer, wire: LoweredEdge, gate: EdgeGate, alive: Alive) -> EdgeGate:
    """The gate, also closed in samples in which the source of the edge is dead."""
    source = alive.get(wire.edge.source)
    if source is None:
        return gate
    weight, is_open = gate.weight, gate.is_open
    return EdgeGate(
        source
        if weight is None
        else write.call(f"{wire.label}_g", wire.place, liveness.masked, weight, source),
        source
        if is_open is None
        else write.call(f"{wire.label}_reached", wire.place, liveness.both, is_open, source),
    )


def _entry(write: Writer, wire: LoweredEdge, what: str, entries: fx.Node) -> fx.Node:
    assert wire.edge.gate is not None
    return write.item(f"{wire.label}_{what}", wire.place, entries, wire.edge.gate.index)


def _close(
    write: Writer, name: str, place: Provenance, router: Router, weights: fx.Node, is_open: fx.Node
) -> fx.Node:
    if router.binary:
        weights = write.call(f"{name}_binary", place, run.binary, weights)
    straight = router.train == "straight_through"
    close = run.close_straight_through if straight else run.close
    return write.call(name, place, close, weights, is_open)


def _weights(
    write: Writer, router: Router, name: str, place: Provenance, logits: fx.Node
) -> fx.Node:
    weights = logits
    match router.activation:
        case "sigmoid":
            weights = write.call(f"{name}_sigmoid", place, torch.sigmoid, weights)
        case "softmax":
            weights = write.call(f"{name}_softmax", place, run.softmax, weights, router.groups)
        case "relu_tanh":
            weights = write.call(f"{name}_relu_tanh", place, run.relu_tanh, weights)
        case "hard_concrete":
            weights = write.call(f"{name}_hard_concrete", place, run.hard_concrete, weights)
        case "none":
            pass
    return weights
