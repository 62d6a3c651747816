"""Merges fully connected layers that share their input, and decomposes small ones."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, fx, nn

from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import IR, SHAPE, regions_of
from dagdsl_compiler.passes.base import layer_at

_HOME = "_merged"

SMALL = 2**14
"""Largest number of weights of a small layer: routers' layers are small, classifiers are not."""


@dataclass(frozen=True, slots=True)
class MergeLinears:
    """Merge fully connected layers of the same input, such as routers of one node, into one.

    Their weights are stacked, and the result is split. For evaluation only. Merged modules leave
    the module tree, so the graph must own it.
    """

    name: ClassVar[str] = "merge_linears"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        together: dict[object, list[fx.Node]] = {}
        for node in module.graph.find_nodes(op="call_module"):
            if layer_at(module, node, nn.Linear) is not None:
                together.setdefault((node.args[0], regions_of(node)), []).append(node)
        for nodes in together.values():
            if len(nodes) == 1:
                yield did_not(nodes[0], "no other layer has the same input")
                continue
            _merge(module, nodes)
            for node in nodes:
                others = ", ".join(other.meta[IR] for other in nodes if other is not node)
                yield did(node, f"one product with {others}")


def _merge(module: fx.GraphModule, nodes: list[fx.Node]) -> None:
    graph, first = module.graph, nodes[0]
    layers = []
    for node in nodes:
        layer = module.get_submodule(str(node.target))
        assert isinstance(layer, nn.Linear)
        layers.append(layer)
        module.delete_submodule(str(node.target))
    path = f"{_HOME}.{first.name}"
    module.add_submodule(path, _stacked(layers))
    with graph.inserting_before(first):
        name = f"{first.name}_merged"
        product = graph.create_node("call_module", path, first.args, name=name)
        sizes = [layer.out_features for layer in layers]
        parts = graph.create_node(
            "call_function", torch.split_with_sizes, (product, sizes, 1), name=f"{name}_split"
        )
    for made in (product, parts):
        made.meta.update(first.meta)
        made.meta[SHAPE] = (sum(sizes),)
    for i, node in enumerate(nodes):
        with graph.inserting_before(node):
            part = graph.create_node(
                "call_function", operator.getitem, (parts, i), name=f"{node.name}_part"
            )
        part.meta.update(node.meta)
        node.replace_all_uses_with(part)
        graph.erase_node(node)


@torch.no_grad()
def _stacked(layers: list[nn.Linear]) -> nn.Linear:
    """One layer whose outputs are those of all layers, concatenated."""
    weight = torch.cat([layer.weight for layer in layers])
    biases: list[Tensor] = [
        weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias
        for layer in layers
    ]
    outputs, inputs = weight.shape
    with torch.device("meta"):  # no random numbers are drawn
        stacked = nn.Linear(inputs, outputs)
    stacked.weight = nn.Parameter(weight, requires_grad=False)
    stacked.bias = nn.Parameter(torch.cat(biases), requires_grad=False)
    return stacked.eval()


class DecomposedLinear(nn.Module):
    """A fully connected layer as an element-wise product and a sum, which can be fused."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.register_buffer("weight", layer.weight.detach())
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C]` -> `[B, K]`."""
        y = (x.unsqueeze(1) * self.weight).sum(dim=2)
        return y if self.bias is None else y + self.bias


@dataclass(frozen=True, slots=True)
class DecomposeSmallLinears:
    """Decompose small fully connected layers, such as those of routers, into a product and a sum.

    Calling a matrix product takes 20 us, a hundred times as long as its arithmetic. Decomposed,
    the code generator fuses it with the pooling before it and the gates after it. Only for graphs
    that code is generated for; the graph must own its module tree.
    """

    name: ClassVar[str] = "decompose_small_linears"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in module.graph.find_nodes(op="call_module"):
            layer = layer_at(module, node, nn.Linear)
            if layer is None:
                continue
            number = layer.weight.numel()
            if number > SMALL:
                yield did_not(node, f"{number:,} weights: a matrix product is faster")
                continue
            # At the same path, because the check of an artefact replaces weights by name.
            module.set_submodule(str(node.target), DecomposedLinear(layer))
            with module.graph.inserting_before(node):
                decomposed = module.graph.create_node(
                    "call_module", node.target, node.args, name=f"{node.name}_decomposed"
                )
            decomposed.meta.update(node.meta)
            node.replace_all_uses_with(decomposed)
            module.graph.erase_node(node)
            yield did(decomposed, f"{number:,} weights, as a product and a sum")
