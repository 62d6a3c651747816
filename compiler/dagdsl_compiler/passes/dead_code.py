"""Dead code elimination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark, did, did_not


@dataclass(frozen=True, slots=True)
class DeadCode:
    """Remove unused nodes, except inputs.

    This includes unused batch normalisations, although they would update their statistics.
    """

    name: ClassVar[str] = "dead_code"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for node in reversed(module.graph.nodes):
            if node.users or node.op == "output":
                continue
            if node.op == "placeholder":
                yield did_not(node, "nothing uses this input, but callers pass it")
            else:
                module.graph.erase_node(node)
                yield did(node, f"nothing uses {node.name}")
