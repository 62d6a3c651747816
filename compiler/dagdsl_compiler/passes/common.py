"""Common subexpression elimination."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark, did, did_not
from dagdsl_compiler.lower.writer import IR, regions_of


@dataclass(frozen=True, slots=True)
class CommonSubexpressions:
    """Replace calls of one function with the same arguments by the first of them.

    All routers that read a node then share its global average. Every function that a lowering
    calls is pure. Modules are skipped because they may update statistics or draw random numbers. A
    value computed in one region is not used in another.
    """

    name: ClassVar[str] = "common_subexpressions"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        seen: dict[Hashable, dict[tuple[str, ...], fx.Node]] = {}
        for node in module.graph.nodes:
            if node.op != "call_function":
                continue
            call = (node.target, _key(node.args), _key(node.kwargs))
            equal = seen.setdefault(call, {})
            first = equal.setdefault(regions_of(node), node)
            name = node.target.__name__
            if first is not node:
                node.replace_all_uses_with(first)
                module.graph.erase_node(node)
                yield did(node, f"the `{name}` of {first.meta[IR]} is the same")
            elif len(equal) > 1:
                elsewhere = next(iter(equal.values()))
                yield did_not(
                    node, f"the `{name}` of {elsewhere.meta[IR]} is the same, in another region"
                )


def _key(value: Any) -> Hashable:
    """A key that is equal for equal arguments of equal types; in Python, `True == 1 == 1.0`."""
    if isinstance(value, dict):
        return tuple((name, _key(item)) for name, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(_key(item) for item in value)
    return type(value), value
