"""Removes weights without effect from merges."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import fx

from dagdsl_compiler.blocks.route import Constant
from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import IR
from dagdsl_compiler.passes.base import layer_at
from dagdsl_compiler.passes.constants import constant_of
from dagdsl_compiler.runtime import aggregate, liveness

_MERGES = frozenset(aggregate.MERGES.values())


@dataclass(frozen=True, slots=True)
class SimplifyMerges:
    """Remove weights without effect and single-input merges. Three rules.

    - A value that is zero in dead samples needs no weight that is zero in the same samples.
    - A weight that is always one is dropped.
    - A merge of one value without a weight is replaced by that value.
    """

    name: ClassVar[str] = "simplify_merges"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in module.graph.nodes:
            if node.op != "call_function" or node.target not in _MERGES:
                continue
            values, weights = node.args
            simpler = list(weights)
            for i, (value, weight) in enumerate(zip(values, weights, strict=True)):
                if weight is None:
                    continue
                simpler[i] = _unmasked(value, weight)
                if simpler[i] is not weight:
                    what = "weight" if simpler[i] is None else "mask of the weight"
                    yield did(weight, f"no {what} needed in {node.meta[IR]}: the value is masked")
                elif (constant := _constant(module, weight)) == 1.0:
                    simpler[i] = None
                    yield did(weight, f"no weight needed in {node.meta[IR]}: it is always 1")
                elif constant is not None:
                    yield did_not(
                        weight, f"weighed in {node.meta[IR]}: it is {constant:.4g}, not 1"
                    )
            node.args = (values, simpler)
            if simpler == [None]:
                node.replace_all_uses_with(values[0])
                yield did(node, f"merges one value, {values[0].meta[IR]}: is that value")


def _unmasked(value: fx.Node, weight: fx.Node) -> fx.Node | None:
    """The weight without a mask that the value already has."""
    if not _calls(value, liveness.masked):
        return weight
    alive = value.args[1]
    if weight is alive:
        return None
    if _calls(weight, liveness.masked) and weight.args[1] is alive:
        unmasked = weight.args[0]
        assert isinstance(unmasked, fx.Node)
        return unmasked
    return weight


def _constant(module: fx.GraphModule, weight: fx.Node) -> float | None:
    """The value of a constant weight; None if it differs between samples or may be trained."""
    folded = constant_of(module, weight)
    if folded is not None:
        return float(folded)
    if not _calls(weight, operator.getitem):
        return None
    entries = weight.args[0]
    if not isinstance(entries, fx.Node) or not _calls(entries, torch.unbind):
        return None
    source = entries.args[0]
    made_by = layer_at(module, source, Constant) if isinstance(source, fx.Node) else None
    return None if made_by is None else made_by.value


def _calls(node: fx.Node, function: Any) -> bool:
    return node.op == "call_function" and node.target is function
