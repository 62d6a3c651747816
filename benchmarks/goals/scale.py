"""The size of a measurement: that of the goals, or a small one that tests the benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Images of `size` x `size`, and `rounds` rounds or as many as fit into `seconds`."""

    size: int
    rounds: int
    seconds: float
    inference_batches: tuple[int, ...]
    sparse_batches: tuple[int, ...]
    nets: tuple[str, ...]
    shares: tuple[float, ...]
    training_batch: int
    nodes: tuple[int, ...]
    """Sizes of the stages whose compilation is timed; the goal applies to the last."""
    cold_nets: tuple[str, ...]
    sparse_modes: Mapping[str, tuple[str, ...]]
    """Net -> modes to compare; an empty tuple means all applicable modes."""


FULL = Scale(
    size=224,
    rounds=20,
    seconds=20.0,
    inference_batches=(1, 8),
    sparse_batches=(1, 8, 32),
    nets=("DG-MobileNetV2", "DG-ResNet-50"),
    shares=(0.4, 0.6, 0.8),
    training_batch=8,
    nodes=(6, 12, 24),
    cold_nets=("DG-ResNet-50",),
    # `auto` takes as long to compile as all other modes together.
    sparse_modes={"DG-MobileNetV2": (), "DG-ResNet-50": ("static", "branch", "grouped")},
)
QUICK = Scale(
    size=64,
    rounds=5,
    seconds=5.0,
    inference_batches=(1,),
    sparse_batches=(1, 4),
    nets=("DG-MobileNetV2",),
    shares=(0.5,),
    training_batch=2,
    nodes=(2, 4),
    cold_nets=(),
    sparse_modes={"DG-MobileNetV2": ()},
)
