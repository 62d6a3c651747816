"""A net and its profile -> which regions are worth skipping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagdsl.analysis.cost import cost_of_graph, cost_of_node, cost_of_steps
from dagdsl.analysis.shapes import input_of
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Graph, Net
from dagdsl.ir.paths import GraphPaths, graphs_of, outer_graphs, paths_of
from dagdsl_compiler.profile import Profile


@dataclass(frozen=True, slots=True)
class SkipRule:
    """The rule for skipping a region: it must save at least twice what it costs.

    Gathering the rows of a group, or branching, has a fixed cost, so skipping must save at least
    `least_macs` multiply-adds per sample. Skipping also prevents fusion, so it must save at least
    the share `least_share` of the region's work.
    """

    least_macs: float
    least_share: float


SINGLE = SkipRule(least_macs=200_000, least_share=0.15)
"""For one sample: a branch. Break-even was measured at 79 % active."""

BATCH = SkipRule(least_macs=50_000, least_share=0.1)
"""For several samples: a group. They share the fixed cost of gathering."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision on a region, with the numbers it is based on."""

    region: str
    share: float
    macs: int
    skip: bool

    @property
    def reason(self) -> str:
        """The numbers and the decision as a short text."""
        how = "where needed" if self.skip else "for all"
        return f"needed by {self.share:.0%}, {self.macs:,} MACs: run {how}"

    def __str__(self) -> str:
        return f"{self.region}: {self.reason}"


def choose(net: Net, profile: Profile, rule: SkipRule) -> list[Choice]:
    """Decide for each region whether to skip it. Raises UsageError for a profile of another net."""
    if profile.net != net.hash:
        raise UsageError(f"the profile is not of this net (`{net.name}`): measure it again")
    macs = dict(_macs(net))
    choices = []
    for region, share in profile.regions.items():
        pays = (
            1 - share >= rule.least_share and (1 - share) * macs.get(region, 0) >= rule.least_macs
        )
        choices.append(Choice(region, share, macs.get(region, 0), pays))
    return choices


def active_share(net: Net, profile: Profile) -> float:
    """The share of all multiply-adds that the samples of a profile need.

    Counts nodes and steps of edges, but not routers and weighted sums.
    """
    active, total = _active(net.graph, paths_of(net), 1.0, profile)
    return active / total if total else 1.0


def _active(graph: Graph, paths: GraphPaths, outer: float, profile: Profile) -> tuple[float, float]:
    """The needed and the total multiply-adds of a graph needed by the share `outer` of samples."""
    active = total = 0.0
    parts = [
        *((n.steps, s, input_of(n, graph)) for n, s in zip(graph.nodes, paths.nodes, strict=True)
          if n.kind != "in"),
        *((e.steps, s, graph.node(e.source).shape)
          for e, s in zip(graph.edges, paths.edges, strict=True)),
    ]  # fmt: skip
    for steps, at, x in parts:
        share = profile.regions.get(at.label, outer)
        inside = list(outer_graphs(steps, at.steps))
        own = cost_of_steps(steps, x).macs - sum(cost_of_graph(g).macs for g, _ in inside)
        active, total = active + share * own, total + own
        for inner in inside:
            some, every = _active(*inner, share, profile)
            active, total = active + some, total + every
    return active, total


def _macs(net: Net) -> Iterator[tuple[str, int]]:
    """The multiply-adds of each node and edge, the possible regions."""
    for graph, paths in graphs_of(net):
        for node, at in zip(graph.nodes, paths.nodes, strict=True):
            yield at.label, cost_of_node(node, graph).macs
        for edge, at in zip(graph.edges, paths.edges, strict=True):
            yield at.label, cost_of_steps(edge.steps, graph.node(edge.source).shape).macs
