"""How large a measurement is: what the goals say, or a quick look whether everything works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Images of `size` x `size`; `rounds` of each, or as many as fit into `seconds`."""

    size: int
    rounds: int
    seconds: float
    inference_batches: tuple[int, ...]
    sparse_batches: tuple[int, ...]
    nets: tuple[str, ...]
    shares: tuple[float, ...]
    training_batch: int
    nodes: tuple[int, ...]
    """The stages whose compilation is timed; the goal is about the last."""
    cold_nets: tuple[str, ...]
    sparse_modes: Mapping[str, tuple[str, ...]]
    """For each net the modes that are compared; all that suit it if there are none."""


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
    # Without `auto`, which takes as long to compile as the others together.
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
