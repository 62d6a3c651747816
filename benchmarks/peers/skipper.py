"""A stage that skips like published code: one image, eager mode, a Python `if` before each node.

The decisions of the routers are read back from the device before each node. So the stage cannot be
compiled as one graph, and a batch must be processed image by image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.peers.dg import Stage


class SkippingStage(Stage):
    """The same stage for a single image; it computes only what open edges need."""

    def forward(self, x: Tensor) -> Tensor:
        """[1, C, H, W] -> [1, C, H, W]."""
        outputs: list[Tensor | None] = [x]  # None: the vertex is dead
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
        """Return the weighted sum over the open edges of vertex `j`, or None without any."""
        merged = None
        for i, (y, gate) in enumerate(zip(outputs, gates, strict=True)):
            if y is None or not gate[j - 1 - i]:
                continue
            weight = gate[j - 1 - i]
            merged = y * weight if merged is None else torch.add(merged, y, alpha=weight)
        return merged
