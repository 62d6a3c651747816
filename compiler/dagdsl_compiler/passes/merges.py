"""Takes weights out of merges that have no say in the result."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import fx

from dagdsl_compiler.blocks.route import Constant
from dagdsl_compiler.runtime import aggregate, liveness

_MERGES = frozenset(aggregate.MERGES.values())


@dataclass(frozen=True, slots=True)
class SimplifyMerges:
    """Three rules.

    - A value that is zero in dead samples needs no weight that is zero in the same samples.
    - A weight that is the constant one is no weight.
    - A merge of one value without a weight is that value.
    """

    name: ClassVar[str] = "simplify_merges"

    def run(self, module: fx.GraphModule) -> None:
        """See the class."""
        for node in module.graph.nodes:
            if node.op != "call_function" or node.target not in _MERGES:
                continue
            values, weights = node.args
            weights = [
                _unmask(value, _unless_one(module, weight))
                for value, weight in zip(values, weights, strict=True)
            ]
            node.args = (values, weights)
            if weights == [None]:
                node.replace_all_uses_with(values[0])


def _unmask(value: fx.Node, weight: fx.Node | None) -> fx.Node | None:
    """The weight without the mask that the value already has."""
    if weight is None or not _calls(value, liveness.masked):
        return weight
    alive = value.args[1]
    if weight is alive:
        return None
    if _calls(weight, liveness.masked) and weight.args[1] is alive:
        unmasked = weight.args[0]
        assert isinstance(unmasked, fx.Node)
        return unmasked
    return weight


def _unless_one(module: fx.GraphModule, weight: fx.Node | None) -> fx.Node | None:
    """None for an entry of a router that is the constant one, any other weight as it is."""
    if weight is None or not _calls(weight, operator.getitem):
        return weight
    entries = weight.args[0]
    if not isinstance(entries, fx.Node) or not _calls(entries, torch.unbind):
        return weight
    source = entries.args[0]
    if not isinstance(source, fx.Node) or source.op != "call_module":
        return weight
    made_by = module.get_submodule(str(source.target))
    return None if isinstance(made_by, Constant) and made_by.value == 1.0 else weight


def _calls(node: fx.Node, function: Any) -> bool:
    return node.op == "call_function" and node.target is function
