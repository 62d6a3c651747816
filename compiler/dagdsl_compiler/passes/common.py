"""Computes equal things once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import fx

from dagdsl_compiler.lower.writer import regions_of


@dataclass(frozen=True, slots=True)
class CommonSubexpressions:
    """Calls of one function with the same arguments become the first of them.

    So all routers that look at a node share its global average. Every function a lowering calls is
    pure. Modules are left alone: they may have statistics or draw random numbers. What stands in
    one region is not used in another.
    """

    name: ClassVar[str] = "common_subexpressions"

    def run(self, module: fx.GraphModule) -> None:
        """See the class."""
        seen: dict[Hashable, fx.Node] = {}
        for node in module.graph.nodes:
            if node.op != "call_function":
                continue
            call = (node.target, _key(node.args), _key(node.kwargs), regions_of(node))
            first = seen.setdefault(call, node)
            if first is not node:
                node.replace_all_uses_with(first)
                module.graph.erase_node(node)


def _key(value: Any) -> Hashable:
    """Equal for equal arguments. Types count: `True`, `1` and `1.0` are equal in Python."""
    if isinstance(value, dict):
        return tuple((name, _key(item)) for name, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(_key(item) for item in value)
    return type(value), value
