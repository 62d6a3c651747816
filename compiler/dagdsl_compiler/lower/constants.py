"""Routers without input -> the gates that are the same for every sample."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import fx, nn

from dagdsl.analysis.liveness import closable, keeps_strongest
from dagdsl.ir.nodes import Net, Router
from dagdsl.ir.paths import ElementPath, graphs_of
from dagdsl_compiler.lower.gates import decide
from dagdsl_compiler.lower.graph import Lowering
from dagdsl_compiler.lower.modules import is_intact
from dagdsl_compiler.lower.writer import Provenance


def constant_pins(net: Net, modules: nn.Module) -> dict[str, bool]:
    """The edges that the current weights open, or close, for every sample.

    `modules` are in evaluation mode. An edge that `keep_strongest` may reopen is never closed.
    """
    return dict(_constant_gates(net, modules))


def _constant_gates(net: Net, modules: nn.Module) -> Iterator[tuple[str, bool]]:
    for graph, paths in graphs_of(net):
        if not is_intact(modules, paths.module):
            continue
        decided = {
            router.name: _decided(router, at, modules)
            for router, at in zip(graph.routers, paths.routers, strict=True)
            if router.reads == "nothing"
        }
        for edge, at in zip(graph.edges, paths.edges, strict=True):
            if edge.gate is None or edge.gate.router not in decided or not closable(graph, edge):
                continue
            is_open = decided[edge.gate.router][edge.gate.index]
            if is_open or not keeps_strongest(graph, edge):
                yield at.label, is_open


@torch.no_grad()
def _decided(router: Router, at: ElementPath, modules: nn.Module) -> list[bool]:
    """Which edges of a router are open, computed by the code that a graph would run."""
    lowering = Lowering(modules, collect=False)
    write = lowering.write
    decision = decide(write, router, at, lowering.logits(router, at, None))
    write.output(decision.is_open, Provenance.of(at.label, router))
    entries = fx.GraphModule(modules, write.graph)()
    return [True] * router.outputs if entries is None else [bool(entry) for entry in entries]
