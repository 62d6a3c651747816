"""Removes the batch counters of batch normalisation from a training graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, fx, nn
from torch.nn import functional as F

from dagdsl_compiler.passes.base import layer_at
from dagdsl_compiler.torch_private import add_to_each


class UncountedNorm(nn.Module):
    """Batch normalisation without counting batches."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.momentum is not None
        self.norm = norm
        self.momentum = norm.momentum

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, ...]` -> the same."""
        norm = self.norm
        return F.batch_norm(
            x,
            norm.running_mean,
            norm.running_var,
            norm.weight,
            norm.bias,
            norm.training,
            self.momentum,
            norm.eps,
        )


@dataclass(frozen=True, slots=True)
class UncountedNorms:
    """Leave the counting of batches to the caller: see `count_batch`.

    The counts do not affect the outputs, but each of them costs generated code and a guard. The
    graph must own its module tree, because modules are replaced.
    """

    name: ClassVar[str] = "uncounted_norms"

    def run(self, module: fx.GraphModule) -> None:
        """See the class."""
        for node in module.graph.nodes:
            norm = layer_at(module, node, nn.BatchNorm1d, nn.BatchNorm2d)
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d) and norm.momentum is not None:
                module.set_submodule(str(node.target), UncountedNorm(norm))


def uncounted(module: fx.GraphModule) -> list[nn.Module]:
    """The batch normalisations of a graph whose batches the caller counts."""
    return [part.norm for part in module.modules() if isinstance(part, UncountedNorm)]


def count_batch(norms: list[nn.Module]) -> None:
    """Count one batch for each of `norms` that is in training mode."""
    counted = [
        norm.num_batches_tracked
        for norm in norms
        if norm.training and isinstance(norm.num_batches_tracked, Tensor)
    ]
    if counted:
        add_to_each(counted, 1)
