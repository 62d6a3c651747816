"""Packs the weights of convolutions into the layout of the CPU kernels, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import fx, nn

from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import IR, ORIGIN, SHAPE, regions_of
from dagdsl_compiler.passes.base import layer_at
from dagdsl_compiler.runtime.packed import ACTIVATIONS, PackedConvolution, PackedWeight
from dagdsl_compiler.torch_private import bytes_of_packed, can_pack

_HOME = "_packed"
_SINGLE = (1,)
_ANY = (8, 1, 2, 64)
"""Batch sizes that a convolution may read; its weights are packed for the first of them."""


@dataclass(frozen=True, slots=True)
class PackConvolutions:
    """Pack the weights of convolutions, and fuse the activations after them.

    TorchInductor packs weights itself, but not for unknown batch sizes and not inside branches.
    There it converts them in every call, which takes up to three quarters of the time for few
    samples with many channels. In a graph for a `single` sample, only convolutions in regions,
    which become branches, are packed.

    For float32 on a CPU and graphs whose constants will be folded. The graph must own its module
    tree.
    """

    single: bool
    name: ClassVar[str] = "pack_convolutions"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        first = next(node for node in module.graph.nodes if node.op != "placeholder")
        for node in module.graph.find_nodes(op="call_module"):
            conv = layer_at(module, node, nn.Conv2d)
            if conv is None or (self.single and not regions_of(node)):
                continue
            if obstacle := _obstacle(conv):
                yield did_not(node, obstacle)
                continue
            size = [n * by for n, by in zip(node.meta[SHAPE][1:], conv.stride, strict=True)]
            batch = _batch(conv, _SINGLE if self.single else _ANY, size)
            _pack(module, node, conv, PackedWeight(conv, batch, size), first)
            activation = _fuse(node)
            inside = activation and f", {activation} inside"
            if batch is None:
                how = "its weights are converted in each call: no layout suits all batch sizes"
                yield did_not(node, f"{how}{inside}")
            else:
                yield did(node, f"weights packed{inside}")


def _obstacle(conv: nn.Conv2d) -> str | None:
    """Why oneDNN's kernels cannot compute a convolution; None if they can."""
    weight = conv.weight
    if weight.device.type != "cpu" or not can_pack():
        return "oneDNN does not compute it"
    if weight.dtype != torch.float32:
        return f"its weights are {str(weight.dtype).removeprefix('torch.')}"
    if conv.in_channels == 1:
        # TorchInductor would assume a wrong layout of the output.
        return "with one channel, its layout is ambiguous"
    if conv.padding_mode != "zeros" or isinstance(conv.padding, str):
        return "its padding is not plain zeros"
    return None


def _batch(conv: nn.Conv2d, batches: tuple[int, ...], size: list[int]) -> int | None:
    """The batch size to pack weights for; None if other batch sizes need another layout.

    oneDNN may prefer other blocks for one sample than for more. Converting between blocks takes
    ten times as long as the convolution.
    """
    found = {bytes_of_packed(PackedWeight(conv, batch, size)()) for batch in batches}
    return batches[0] if len(found) == 1 else None


def _pack(
    module: fx.GraphModule, node: fx.Node, conv: nn.Conv2d, packed: PackedWeight, first: fx.Node
) -> None:
    """Pass a convolution its packed weights, which are computed, and folded, outside of regions."""
    path = f"{_HOME}.{node.name}"
    module.add_submodule(path, packed)
    module.set_submodule(str(node.target), PackedConvolution(conv))
    with module.graph.inserting_before(first):
        weight = module.graph.create_node("call_module", path, name=f"{node.name}_weight")
    weight.meta[IR], weight.meta[ORIGIN] = node.meta[IR], node.meta[ORIGIN]
    node.args = (*node.args, weight)


def _fuse(node: fx.Node) -> str:
    """Fuse the activation that is the only reader of a convolution; return its path, or ''."""
    reader, *others = node.users
    function: Any = reader.target
    alone = not others and regions_of(reader) == regions_of(node)
    if not alone or function not in ACTIVATIONS or reader.args != (node,) or reader.kwargs:
        return ""
    node.kwargs = {"activation": function.__name__}
    reader.replace_all_uses_with(node)
    node.graph.erase_node(reader)
    inside: str = reader.meta[IR]
    return inside
