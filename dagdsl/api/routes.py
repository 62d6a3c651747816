"""The routes that a model returned -> a table of its edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import graphs_of

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class EdgeUse:
    """How the samples of a batch used one gated edge.

    `name` is the edge as messages and pins name it. `open` is the share of samples for which it was
    open, 0 to 1, and `weight` its mean weight over these; None if it was closed for all.

    >>> import dagdsl
    >>> dagdsl.EdgeUse("s1: in -> out", open=0.5, weight=0.75).open
    0.5
    """

    name: str
    open: float
    weight: float | None


@dataclass(frozen=True, slots=True)
class RoutesTable:
    """The gated edges of a network and how `samples` samples used them, in the order of the net.

    `str` gives a table in text; a notebook shows one in HTML. `routes_table` makes it.

    >>> import dagdsl
    >>> edges = (dagdsl.EdgeUse("s: in -> out", open=0.5, weight=0.75),)
    >>> print(dagdsl.RoutesTable("Tiny", samples=2, edges=edges))
    Tiny, 2 samples
    edge          open  mean weight
    s: in -> out   50%        0.750
    """

    net: str
    samples: int
    edges: tuple[EdgeUse, ...]

    @property
    def title(self) -> str:
        """The name of the network and the number of samples."""
        return f"{self.net}, {self.samples:,} sample{'s' * (self.samples != 1)}"

    def __str__(self) -> str:
        rows = list(self._rows())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            f"{name:<{widths[0]}}  {opened:>{widths[1]}}  {weight:>{widths[2]}}"
            for name, opened, weight in rows
        ]
        return "\n".join([self.title, *lines])

    def _repr_html_(self) -> str:
        header, *rows = (map(escape, row) for row in self._rows())
        head = "".join(f"<th>{cell}</th>" for cell in header)
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        return (
            f"<table><caption>{escape(self.title)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        yield "edge", "open", "mean weight"
        for edge in self.edges:
            weight = "" if edge.weight is None else f"{edge.weight:.3f}"
            yield edge.name, f"{edge.open:.0%}", weight


def routes_table(net: Net, routes: Mapping[str, Tensor]) -> RoutesTable:
    """Tabulate the routes that `model(x, return_routes=True)` returned for a batch.

    `routes` has a tensor `[B, V, V]` for each graph with routers. A slice of the batch, such as
    `{key: r[:1] for key, r in routes.items()}`, gives the table of a single sample. Raises
    UsageError if `routes` are not those of `net`.

    >>> import dagdsl, torch
    >>> net = dagdsl.load("examples/quickstart.dg", tau=0.0)
    >>> model = dagdsl.compile(net, backend="eager", seed=0).eval()
    >>> _, routes = model(torch.zeros(4, 1, 8, 8), return_routes=True)
    >>> table = dagdsl.routes_table(net, routes)
    >>> table.samples, table.edges[0].name, table.edges[0].open
    (4, 's1: in -> n[0]', 1.0)
    """
    edges: list[EdgeUse] = []
    samples = 0
    for graph, paths in graphs_of(net):
        if not graph.is_gated:
            continue
        count = len(graph.nodes)
        weights = routes.get(paths.routes)
        if weights is None or tuple(weights.shape[1:]) != (count, count):
            raise UsageError(
                f"these are not the routes of {net.name}: `{paths.routes}` must be a tensor "
                f"[B, {count}, {count}]"
            )
        samples = len(weights)
        opened = (weights != 0).sum(0).tolist()
        totals = weights.detach().double().sum(0).tolist()
        index = {node.name: i for i, node in enumerate(graph.nodes)}
        for edge, at in zip(graph.edges, paths.edges, strict=True):
            if edge.gate is None:
                continue
            i, j = index[edge.source], index[edge.target]
            mean = totals[i][j] / opened[i][j] if opened[i][j] else None
            edges.append(EdgeUse(at.label, opened[i][j] / max(samples, 1), mean))
    return RoutesTable(net.name, samples, tuple(edges))
