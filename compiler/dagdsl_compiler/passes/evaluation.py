"""Simplifications for networks that are only evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from dagdsl_compiler.blocks.norm import Noise
from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import IR, regions_of
from dagdsl_compiler.passes.base import layer_at
from dagdsl_compiler.runtime import gate


class ChannelScale(nn.Module):
    """Batch normalisation in evaluation: a scale and a shift for each channel."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.running_var is not None
        assert norm.running_mean is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", norm.bias - norm.running_mean * scale)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, ...]` -> the same."""
        channels = (-1, *(1,) * (x.dim() - 2))
        return torch.addcmul(self.shift.view(channels), x, self.scale.view(channels))


@dataclass(frozen=True, slots=True)
class EvaluationOnly:
    """Replace dropout and noise with the identity, and soft thresholds with plain ones."""

    name: ClassVar[str] = "evaluation_only"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in module.graph.nodes:
            called = layer_at(module, node, nn.Dropout, Noise, gate.SoftThreshold)
            if isinstance(called, nn.Dropout | Noise):
                node.replace_all_uses_with(node.args[0])
                module.graph.erase_node(node)
                yield did(node, "does nothing in evaluation")
            elif isinstance(called, gate.SoftThreshold):
                node.op, node.target = "call_function", gate.above
                node.args = (*node.args, called.tau)
                yield did(node, "the soft threshold is a plain one")


@dataclass(frozen=True, slots=True)
class FoldBatchNorm:
    """Fold batch normalisation into the convolution or fully connected layer before it.

    If there is no such layer, or other nodes read it too, the normalisation becomes a scale and a
    shift for each channel. That form also compiles for data-dependent batch sizes. Modules
    are replaced, so the graph must own its module tree.
    """

    name: ClassVar[str] = "fold_batch_norm"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in module.graph.nodes:
            norm = layer_at(module, node, nn.BatchNorm1d, nn.BatchNorm2d)
            if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                continue
            source = node.args[0]
            assert isinstance(source, fx.Node)
            layer = layer_at(module, source, nn.Conv2d, nn.Linear)
            if not isinstance(layer, nn.Conv2d | nn.Linear):
                obstacle = "its input is not a layer to fold it into"
            elif len(source.users) > 1:
                obstacle = f"others read {source.meta[IR]} too"
            elif regions_of(source) != regions_of(node):
                obstacle = f"{source.meta[IR]} is in another region"
            else:
                module.set_submodule(str(source.target), _folded(layer, norm))
                node.replace_all_uses_with(source)
                module.graph.erase_node(node)
                yield did(node, f"folded into {source.meta[IR]}")
                continue
            module.set_submodule(str(node.target), ChannelScale(norm))
            yield did_not(node, f"{obstacle}: a scale and a shift for each channel")


def _folded(layer: nn.Conv2d | nn.Linear, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> nn.Module:
    """The layer with the normalisation folded into it."""
    if isinstance(layer, nn.Conv2d):
        return fuse_conv_bn_eval(layer, norm)
    return fuse_linear_bn_eval(layer, norm)
