"""Simplifies the masks of live nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark, did
from dagdsl_compiler.lower.writer import IR
from dagdsl_compiler.runtime import liveness


@dataclass(frozen=True, slots=True)
class SimplifyLiveness:
    """Replace the mask of a node with one incoming edge by the mask of that edge.

    Other passes then see that both are the same.
    """

    name: ClassVar[str] = "simplify_liveness"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in module.graph.find_nodes(op="call_function", target=liveness.any_open):
            if len(node.args[0]) == 1:
                (edge,) = node.args[0]
                node.replace_all_uses_with(edge)
                yield did(node, f"its mask is that of {edge.meta[IR]}")
