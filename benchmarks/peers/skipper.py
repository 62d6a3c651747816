"""A stage that skips as published code does: one image, a Python `if` a node, in eager mode.

What routers decide is fetched from the device before each node. Nothing of it can be compiled as
one graph, and a batch has to go through it image by image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.peers.dg import Stage


class SkippingStage(Stage):
    """The same stage for one image: computes what its open edges need and nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        """[1, C, H, W] -> the same."""
        outputs: list[Tensor | None] = [x]  # None stands for a vertex that is dead
        gates = [self.gates(0, x)[0].tolist()]
        for j, node in enumerate(self.nodes, 1):
            merged = self.merge_open(j, outputs, gates)
            y = None if merged is None else node(merged)
            outputs.append(y)
            gates.append([] if y is None else self.gates(j, y)[0].tolist())
        merged = self.merge_open(len(self.nodes) + 1, outputs, gates)
        return torch.zeros_like(x) if merged is None else merged

    def merge_open(
        self, j: int, outputs: list[Tensor | None], gates: list[list[float]]
    ) -> Tensor | None:
        """The sum of what open edges bring to vertex `j`, None if there is none."""
        merged = None
        for i, (y, gate) in enumerate(zip(outputs, gates, strict=True)):
            if y is None or not gate[j - 1 - i]:
                continue
            weight = gate[j - 1 - i]
            merged = y * weight if merged is None else torch.add(merged, y, alpha=weight)
        return merged
