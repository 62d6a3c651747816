"""The routes of many samples -> how each stage is used: open edges, dead nodes, variety."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node
from dagdsl.ir.paths import graphs_of

N = TypeVar("N", Node, Edge, Block)


@dataclass(frozen=True, slots=True)
class StageRates:
    """How the samples used one graph with routers. All rates are shares from 0 to 1.

    `open_edges`: mean share of gated edges that were open.
    `dead_nodes`: mean share of inner nodes without an open incoming edge.
    `unused_nodes`: share of inner nodes without an open outgoing edge for any sample. A static
    network could leave them out.
    `closed_output`: share of samples for which no open edge entered the end of the graph.
    `hamming_distance`: mean share of gated edges in which two samples differ, over all pairs. It is
    0 for static routes, and 0.5 if every edge were open at random.
    """

    open_edges: float
    dead_nodes: float
    unused_nodes: float
    closed_output: float
    hamming_distance: float


class RouteCounter:
    """Accumulates the routes of a network batch by batch, on the device, without synchronising."""

    def __init__(self, net: Net, device: torch.device) -> None:
        self._counts = {key: _Counts(graph, device) for key, graph in routed_graphs(net).items()}

    def add(self, routes: Mapping[str, Tensor]) -> None:
        """Add a batch: the routes `[B, V, V]` of each graph with routers."""
        for key, counts in self._counts.items():
            counts.add(routes[key])

    def rates(self) -> dict[str, StageRates]:
        """The rates over all samples added so far."""
        return {key: counts.rates() for key, counts in self._counts.items()}


class _Counts:
    """Counts for one graph: samples in which an edge was open, a node dead, the end closed."""

    def __init__(self, graph: Graph, device: torch.device) -> None:
        index = {node.name: i for i, node in enumerate(graph.nodes)}
        sources = {edge.source for edge in graph.edges}

        def tensor(values: Iterable[int]) -> Tensor:
            return torch.tensor(list(values), dtype=torch.long, device=device)

        # A stage ends in its `out`, the top-level graph in every node without outgoing edges.
        self._ends = tensor(i for name, i in index.items() if name not in sources)
        self._inner = tensor(
            i for i, node in enumerate(graph.nodes) if node.kind != "in" and node.name in sources
        )
        gated = [edge for edge in graph.edges if edge.gate is not None]
        self._from = tensor(index[edge.source] for edge in gated)
        self._to = tensor(index[edge.target] for edge in gated)

        self._open = torch.zeros(len(index), len(index), dtype=torch.long, device=device)
        self._dead = torch.zeros(len(index), dtype=torch.long, device=device)
        self._closed = torch.zeros((), dtype=torch.long, device=device)
        self._samples = 0

    def add(self, adjacency: Tensor) -> None:
        is_open = adjacency != 0
        is_dead = ~is_open.any(1)
        self._open += is_open.sum(0)
        self._dead += is_dead.sum(0)
        self._closed += is_dead[:, self._ends].all(1).sum()
        self._samples += len(adjacency)

    def rates(self) -> StageRates:
        samples = self._samples
        opened = self._open[self._from, self._to].double()
        pairs = max(samples * (samples - 1) / 2, 1)
        used = self._open.sum(1)[self._inner] > 0
        return StageRates(
            open_edges=_mean(opened / samples),
            dead_nodes=_mean(self._dead[self._inner] / samples),
            unused_nodes=_mean(1 - used.double()),
            closed_output=self._closed.item() / samples,
            # An edge that is open for c of n samples differs in c (n - c) pairs.
            hamming_distance=_mean(opened * (samples - opened) / pairs),
        )


def _mean(shares: Tensor) -> float:
    return float(shares.mean()) if len(shares) else 0.0


def routed_graphs(net: Net) -> dict[str, Graph]:
    """The graphs with routers by the key of their routes, in topological order."""
    return {paths.routes: graph for graph, paths in graphs_of(net) if graph.is_gated}


def without_thresholds(net: Net) -> Net:
    """Return the same network with all edges always open; it has the same weights."""
    return net.replace(graph=_opened(net.graph))


def _opened(graph: Graph) -> Graph:
    never_closes = {"topk": None, "threshold": None, "binary": False, "dead": "zero"}
    return graph.replace(
        nodes=tuple(_with_opened_steps(node) for node in graph.nodes),
        edges=tuple(_with_opened_steps(edge) for edge in graph.edges),
        routers=tuple(r.replace(**never_closes) for r in graph.routers),
    )


def _with_opened_steps(element: N) -> N:
    steps = [
        _opened(step)
        if isinstance(step, Graph)
        else _with_opened_steps(step)
        if isinstance(step, Block)
        else step
        for step in element.steps
    ]
    return element.replace(steps=tuple(steps))
