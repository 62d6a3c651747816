"""A model and calibration data -> how often each edge is open and each region is needed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, fx

from dagdsl.analysis.liveness import closable
from dagdsl.errors import UsageError
from dagdsl.ir.paths import graphs_of, paths_of
from dagdsl_compiler.lower.pins import Pins
from dagdsl_compiler.lower.regions import lower_regions
from dagdsl_compiler.model import Model
from dagdsl_compiler.passes.pipeline import WITH_REGIONS, run_passes
from dagdsl_compiler.passes.regions import Region, regions

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Profile:
    """How a net routed `samples` samples: shares from 0 to 1, by the paths of the IR.

    `edges` gives for each edge that can close (`s1: n[0] -> n[2]`) the share of samples for which
    it was open. `regions` gives for each region (a node, or the steps of an edge, that samples can
    skip) the share of samples that needed it. `net` is the hash of the net.

    >>> import dagdsl
    >>> profile = dagdsl.profile("runs/quickstart")
    >>> dagdsl.Profile.from_json(profile.to_json()) == profile
    True
    """

    net: str
    samples: int
    edges: Mapping[str, float]
    regions: Mapping[str, float]

    def pins(self) -> dict[str, bool]:
        """The edges that were open for all samples (True) or for none (False)."""
        return {edge: share == 1.0 for edge, share in self.edges.items() if share in (0.0, 1.0)}

    def to_json(self) -> str:
        """The content of a `profile.json`."""
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """Read a `profile.json`. Raises UsageError on anything else."""
        try:
            content = json.loads(text)
            if content.pop("version") != _VERSION:
                raise UsageError("the profile was written by another version of dagdsl")
            return cls(**content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"this is not a profile: {error}") from error


def pins_from_json(text: str) -> Pins:
    """Read a `routes.json`: an object of edges, each `"open"` or `"closed"`.

    Raises UsageError on anything else.
    """
    try:
        states = json.loads(text)
        return {edge: {"open": True, "closed": False}[state] for edge, state in states.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            'pinned routes must be an object of edges, such as {"s1: in -> n[0]": "open"}, '
            f'each "open" or "closed" ({error})'
        ) from error


@torch.no_grad()
def profile(model: Model, batches: Iterable[Tensor | tuple[Tensor, ...]]) -> Profile:
    """Measure the routes of a model in evaluation mode on batches of inputs `[B, *shape]`.

    Restores training mode afterwards if the model was in it. Raises UsageError if `batches` has no
    samples.
    """
    training = model.training
    model.eval()
    net = model.net
    graph = lower_regions(net, paths_of(net), model, routes=False, pins={})
    run_passes(graph, passes=WITH_REGIONS)
    needs = _Needs(graph)
    opened: Counter[str] = Counter()
    samples = 0
    for batch in batches:
        inputs = (batch,) if isinstance(batch, Tensor) else batch
        needs.run(*inputs)
        opened.update(_open_edges(model, inputs))
        samples += inputs[0].shape[0]
    model.train(training)
    if not samples:
        raise UsageError("cannot measure routes: the data has no samples")
    return Profile(
        net=net.hash,
        samples=samples,
        edges={edge: count / samples for edge, count in opened.items()},
        regions={region: count / samples for region, count in needs.counts.items()},
    )


def _open_edges(model: Model, inputs: tuple[Tensor, ...]) -> dict[str, int]:
    """The number of samples of a batch for which each edge that can close was open."""
    _, routes = model(*inputs, return_routes=True)
    counts = {}
    for graph, paths in graphs_of(model.net):
        # A module that replaces a stage has no routes.
        if not graph.is_gated or paths.routes not in routes:
            continue
        is_open = (routes[paths.routes] != 0).sum(0).tolist()
        index = {node.name: i for i, node in enumerate(graph.nodes)}
        for edge, at in zip(graph.edges, paths.edges, strict=True):
            if closable(graph, edge):
                counts[at.label] = is_open[index[edge.source]][index[edge.target]]
    return counts


class _Needs(fx.Interpreter):
    """Runs a graph with regions and counts the samples that need each region."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module, garbage_collect_values=False)
        found = list(regions(module.graph))
        self.counts: Counter[str] = Counter()
        self._regions = {region.exits[0]: region for region in found}
        self._runs = {region.name: region.run for region in found}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        region = self._regions.get(n)
        if region is not None:
            self.counts[region.name] += self._needed_by(region, len(result))
        return result

    def _needed_by(self, region: Region, batch: int) -> int:
        # A sample needs a region only if it needs the regions around it.
        masks = [self.env[self._runs[name]] for name in (*region.outer, region.name)]
        return int(torch.stack([mask.expand(batch) for mask in masks]).all(0).sum())
