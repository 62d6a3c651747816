"""Simplifies what tells which nodes are alive."""

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
    """A node with one in-edge is alive when that edge is open.

    So other passes see that both are the same mask.
    """

    name: ClassVar[str] = "simplify_liveness"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in module.graph.find_nodes(op="call_function", target=liveness.any_open):
            if len(node.args[0]) == 1:
                (edge,) = node.args[0]
                node.replace_all_uses_with(edge)
                yield did(node, f"its mask is that of {edge.meta[IR]}")
