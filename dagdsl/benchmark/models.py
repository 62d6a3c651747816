"""The compiled forms of a net, and the inputs they are timed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from dagdsl.analysis.liveness import closable
from dagdsl.benchmark.plan import EAGER
from dagdsl.benchmark.routes import reach
from dagdsl.benchmark.subjects import Run, compiled_evaluation, images, rival
from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import graphs_of
from dagdsl_compiler.driver import Model, Profile, compile, profile
from dagdsl_compiler.inference import Mode
from dagdsl_compiler.plan import active_share

CALIBRATION = 16
SINGLES = 8
"""Images that a batch of one is tried on in turn, as no two need the same."""

Batches = Sequence[tuple[Tensor, ...]]


def closes(net: Net) -> bool:
    """Whether the net has edges that a gate may close."""
    return any(closable(graph, edge) for graph, _ in graphs_of(net) for edge in graph.edges)


def samples(net: Net, batch: int) -> tuple[Tensor, ...]:
    """What a batch size is timed on: one batch, or several of one sample."""
    return images(net, SINGLES if batch == 1 else batch, seed=2)


def split(inputs: tuple[Tensor, ...], batch: int) -> Batches:
    """Samples in batches."""
    return list(zip(*(torch.split(x, batch) for x in inputs), strict=True))


class Models:
    """A net in its modes, at one active share after the other; `eager` has the weights."""

    def __init__(self, net: Net, backend: str) -> None:
        self.eager = compile(net, backend="eager", seed=0).eval()
        self._net, self._backend = net, backend
        self._profile: Profile | None = None
        self._models: dict[tuple[str, int], Model] = {}
        self._rivals: dict[tuple[str, int], Run] = {}

    def set_share(self, wanted: float) -> None:
        """Take weights for which samples need about this share of the work."""
        self._profile = reach(self.eager, wanted, images(self._net, CALIBRATION))
        # What runs every node takes as long with any weights: its code is kept.
        self._models = {key: model for key, model in self._models.items() if key[1]}

    def active(self, inputs: tuple[Tensor, ...]) -> float:
        """The share of the work that these samples need."""
        return active_share(self._net, profile(self.eager, [inputs]))

    def get(self, mode: str, batch: int) -> nn.Module:
        """The net in a mode, for a batch size."""
        if mode == EAGER:
            return self.eager
        # Code for one size is the fastest; what skips nodes has one for all of them.
        key = (mode, batch if mode in ("dense", "static") else 0)
        if key not in self._models:
            if mode == "auto" and self._profile is None:
                self._profile = profile(self.eager, [images(self._net, CALIBRATION)])
            model = compile(
                self._net,
                mode=cast("Mode", mode),
                profile=self._profile if mode == "auto" else None,
                backend=self._backend,
            )
            model.load_state_dict(self.eager.state_dict())
            self._models[key] = model.to(memory_format=torch.channels_last).eval()
        return self._models[key]

    def rival(self, name: str, batch: int) -> Run:
        """Runs a rival on the samples of a batch size; it is compiled when first asked for."""
        key = (name, batch)
        if key not in self._rivals:
            batches = split(samples(self._net, batch), batch)
            self._rivals[key] = compiled_evaluation(rival(name), batches)
        return self._rivals[key]
