"""Removes masks from outputs whose values in dead samples do not matter."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import fx, nn

from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import regions_of
from dagdsl_compiler.passes.base import layer_at
from dagdsl_compiler.runtime import aggregate, gate, liveness

_MERGES = frozenset(aggregate.MERGES.values())

_BY_SAMPLE = gate.BY_SAMPLE | {operator.getitem, torch.relu, torch.sigmoid, torch.unbind}
"""Functions that compute each sample on its own: dead samples do not affect others."""


@dataclass(frozen=True, slots=True)
class UnmaskValues:
    """Remove the mask of a value whose weights are zero in the same samples.

    Masking one number per sample is cheaper than masking a feature map. A router may read the
    unmasked value if everything it decides is masked in the same way. The masks through which
    values leave regions stay.
    """

    name: ClassVar[str] = "unmask_values"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in module.graph.nodes:
            if node.target is not liveness.masked:
                continue
            value, alive = node.args
            if regions_of(value) != regions_of(node):
                continue
            if all(_masks(module, user, node, alive) for user in node.users):
                node.replace_all_uses_with(value)
                yield did(node, "not masked: its weights are")
            elif any(user.target in _MERGES and node in user.args[0] for user in node.users):
                yield did_not(node, "masked: it is read in samples where it is dead")


def _masks(module: fx.GraphModule, user: fx.Node, value: fx.Node, alive: fx.Node) -> bool:
    """Whether `user` ignores `value` in the samples in which it is dead."""
    if user.target in (liveness.masked, liveness.both):
        return alive in user.args
    if user.target in _MERGES:
        values: Any = user.args[0]
        weights: Any = user.args[1]
        return value not in weights and all(
            weight is alive or _is_masked(weight, alive)
            for other, weight in zip(values, weights, strict=True)
            if other is value
        )
    return _by_sample(module, user) and all(_masks(module, u, user, alive) for u in user.users)


def _is_masked(weight: fx.Node | None, alive: fx.Node) -> bool:
    return weight is not None and weight.target is liveness.masked and weight.args[1] is alive


def _by_sample(module: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return layer_at(module, node, nn.Linear) is not None
    if node.target is torch.mean:
        return bool(node.kwargs.get("dim") == (2, 3))
    return node.target in _BY_SAMPLE
