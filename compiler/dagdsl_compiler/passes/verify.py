"""The checks between passes: a graph that breaks one of them is a fault of the pass before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import fx

from dagdsl_compiler.lower.writer import IR, ORIGIN


class VerifyError(Exception):
    """A pass left a graph that is not well formed: a fault of the compiler, not of the net."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a graph takes and gives: no pass may change it."""

    inputs: tuple[str, ...]
    outputs: Any

    @classmethod
    def of(cls, graph: fx.Graph) -> Signature:
        """The signature of a graph."""
        inputs = tuple(node.name for node in graph.nodes if node.op == "placeholder")
        return cls(inputs, fx.map_arg(graph.output_node().args[0], lambda node: None))


def verify(module: fx.GraphModule, signature: Signature, after: str) -> None:
    """Raise VerifyError unless the graph is well formed, of that signature, and says all places."""
    try:
        module.graph.lint()
    except (RuntimeError, ValueError) as error:
        raise VerifyError(f"after {after}: {error}") from error
    if Signature.of(module.graph) != signature:
        raise VerifyError(f"after {after}: the inputs or outputs are not what they were")
    for node in module.graph.nodes:
        if not node.meta.get(IR) or ORIGIN not in node.meta:
            raise VerifyError(f"after {after}: `{node.name}` does not say where it comes from")
