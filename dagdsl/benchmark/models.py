"""The compiled models of a net, and the inputs of their benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from dagdsl.analysis.liveness import closable
from dagdsl.benchmark.plan import EAGER
from dagdsl.benchmark.routes import set_active_share
from dagdsl.benchmark.subjects import Run, baseline, compiled_evaluation, random_inputs
from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import graphs_of
from dagdsl_compiler.driver import Model, Profile, compile, profile
from dagdsl_compiler.inference import Mode
from dagdsl_compiler.plan import active_share

CALIBRATION = 16
SINGLES = 8
"""The number of samples timed one by one for batch size 1, because their routes differ."""

Batches = Sequence[tuple[Tensor, ...]]


def has_closable_edges(net: Net) -> bool:
    """Whether the net has edges that a gate may close."""
    return any(closable(graph, edge) for graph, _ in graphs_of(net) for edge in graph.edges)


def samples(net: Net, batch: int) -> tuple[Tensor, ...]:
    """Return the inputs for a batch size: one batch, or `SINGLES` samples for batch size 1."""
    return random_inputs(net, SINGLES if batch == 1 else batch, seed=2)


def split(inputs: tuple[Tensor, ...], batch: int) -> Batches:
    """Split inputs into batches."""
    return list(zip(*(torch.split(x, batch) for x in inputs), strict=True))


class Models:
    """Compiles a net in its execution modes, all with the weights of the model `eager`."""

    def __init__(self, net: Net, backend: str) -> None:
        self.eager = compile(net, backend="eager", seed=0).eval()
        self._net, self._backend = net, backend
        self._profile: Profile | None = None
        self._models: dict[tuple[str, int], Model] = {}
        self._baselines: dict[tuple[str, int], Run] = {}

    def set_share(self, wanted: float) -> None:
        """Choose weights whose active share is about `wanted`."""
        self._profile = set_active_share(self.eager, wanted, random_inputs(self._net, CALIBRATION))
        # Modes that run every node take the same time with any weights: keep their models.
        self._models = {key: model for key, model in self._models.items() if key[1]}

    def active(self, inputs: tuple[Tensor, ...]) -> float:
        """Return the active share of these samples, weighted by MACs."""
        return active_share(self._net, profile(self.eager, [inputs]))

    def get(self, mode: str, batch: int) -> nn.Module:
        """Return the net compiled in a mode for a batch size, with the current weights."""
        if mode == EAGER:
            return self.eager
        # Code for a fixed batch size is the fastest; modes that skip nodes need code for all sizes.
        key = (mode, batch if mode in ("dense", "static") else 0)
        if key not in self._models:
            if mode == "auto" and self._profile is None:
                self._profile = profile(self.eager, [random_inputs(self._net, CALIBRATION)])
            model = compile(
                self._net,
                mode=cast("Mode", mode),
                profile=self._profile if mode == "auto" else None,
                backend=self._backend,
            )
            model.load_state_dict(self.eager.state_dict())
            self._models[key] = model.to(memory_format=torch.channels_last).eval()
        return self._models[key]

    def baseline(self, name: str, batch: int) -> Run:
        """Return a run of a baseline on the inputs of a batch size. Compiles it the first time."""
        key = (name, batch)
        if key not in self._baselines:
            batches = split(samples(self._net, batch), batch)
            self._baselines[key] = compiled_evaluation(baseline(name), batches)
        return self._baselines[key]
