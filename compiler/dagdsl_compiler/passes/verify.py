"""Checks between passes. A graph that fails one reveals a fault of the previous pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import fx

from dagdsl_compiler.lower.writer import IR, ORIGIN


class VerifyError(Exception):
    """A pass left a malformed graph: a fault of the compiler, not of the net."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a graph, which no pass may change."""

    inputs: tuple[str, ...]
    outputs: Any

    @classmethod
    def of(cls, graph: fx.Graph) -> Signature:
        """The signature of a graph."""
        inputs = tuple(node.name for node in graph.nodes if node.op == "placeholder")
        return cls(inputs, fx.map_arg(graph.output_node().args[0], lambda node: None))


def verify(module: fx.GraphModule, signature: Signature, after: str) -> None:
    """Raise VerifyError if a graph is malformed, lacks provenance or has another signature."""
    try:
        module.graph.lint()
    except (RuntimeError, ValueError) as error:
        raise VerifyError(f"after {after}: {error}") from error
    if Signature.of(module.graph) != signature:
        raise VerifyError(f"after {after}: the inputs or outputs have changed")
    for node in module.graph.nodes:
        if not node.meta.get(IR) or ORIGIN not in node.meta:
            raise VerifyError(f"after {after}: `{node.name}` has no provenance")
