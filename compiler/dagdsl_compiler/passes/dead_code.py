"""Removes what no output needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import fx


@dataclass(frozen=True, slots=True)
class DeadCode:
    """Removes every node that nothing uses, but the inputs.

    A batch normalisation nobody reads goes too: its statistics would be nobody's.
    """

    name: ClassVar[str] = "dead_code"

    def run(self, module: fx.GraphModule) -> None:
        """See the class."""
        for node in reversed(module.graph.nodes):
            if not node.users and node.op not in ("placeholder", "output"):
                module.graph.erase_node(node)
