"""The state of an elaboration: the sink, the names used, and the budget that limits expansion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from dagdsl.diagnostics.sink import Sink
from dagdsl.ir.nodes import Graph, Shape
from dagdsl.limits import MAX_EDGES, MAX_NESTING, MAX_NODES, MAX_OPS
from dagdsl.sema.scope import Scope
from dagdsl.source import Frame, Origin, Span
from dagdsl.syntax import ast


class Exhausted(Exception):
    """The net exceeds a limit. It has been reported; the elaboration of the net stops."""


class BodyBuilder(Protocol):
    """Builds the graph of a block whose body is a list of statements."""

    def __call__(
        self,
        body: Sequence[ast.GraphStatement],
        scope: Scope,
        x: Shape,
        context: Context,
        frames: tuple[Frame, ...],
    ) -> tuple[Graph, Shape]:
        """Return the graph of the body applied to an input of shape `x`, and its output shape."""


@dataclass(slots=True)
class Context:
    """State of one elaboration."""

    sink: Sink
    build_body: BodyBuilder | None = None
    """Given by the front end, since `steps` and `graphs` need each other. None in a context that
    only evaluates expressions."""
    used: set[int] = field(default_factory=set)
    """`id()` of each declared `Ident` that something refers to (the tree outlives the context)."""
    mentioned: set[int] = field(default_factory=set)
    """The same for names in an arm of `choose` that was not taken."""
    guessed: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    """File -> the statements whose syntax errors were repaired by a guess. They are not checked."""
    not_taken: dict[int, ast.Expr] = field(default_factory=dict)
    """The arms of `choose` that were not taken, by `id()`, so that each is searched only once."""
    broken_syntax: bool = False
    """Whether statements were dropped because they could not be parsed."""
    recursive: set[int] = field(default_factory=set)
    """`id()` of each block and router that uses itself. These are reported and never expanded."""
    graphs: int = 0
    """The number of stages and block bodies around the current element."""
    nodes: int = 0
    edges: int = 0
    ops: int = 0
    parameters: int = 0

    def use(self, ident: ast.Ident | None) -> None:
        """Record that a declared name is used."""
        if ident is not None:
            self.used.add(id(ident))

    def is_guessed(self, at: Span) -> bool:
        """Whether a span is in a statement whose syntax errors were repaired by a guess."""
        spans = self.guessed.get(at.file.name, ()) if self.guessed else ()
        return any(span.start <= at.start < span.end for span in spans)

    def mention(self, ident: ast.Ident | None) -> None:
        """Record that a declared name is used with other settings."""
        if ident is not None:
            self.mentioned.add(id(ident))

    def grow(self, at: Span | Origin, *, nodes: int = 0, edges: int = 0, ops: int = 0) -> None:
        """Count what is about to be expanded. Raises Exhausted if that exceeds a limit."""
        self.nodes += nodes
        self.edges += edges
        self.ops += ops
        if self.nodes <= MAX_NODES and self.edges <= MAX_EDGES and self.ops <= MAX_OPS:
            return
        for what, count, limit in (
            ("nodes", self.nodes, MAX_NODES),
            ("edges", self.edges, MAX_EDGES),
            ("ops", self.ops, MAX_OPS),
        ):
            if count > limit:
                self.sink.error(
                    "DG0508",
                    at,
                    f"the net has at least {count:,} {what}, over the limit of {limit:,}",
                    label="too large",
                )
                raise Exhausted

    def reset_budget(self) -> None:
        """Reset the counters for the next net of a file."""
        self.nodes = self.edges = self.ops = self.parameters = 0

    @contextmanager
    def inner_graph(self) -> Iterator[None]:
        """Enter the graph of a stage or of the body of a block."""
        self.graphs += 1
        try:
            yield
        finally:
            self.graphs -= 1

    def nest(self, frames: tuple[Frame, ...], at: Span) -> None:
        """Check how deeply blocks are nested. Raises Exhausted if that exceeds the limit.

        A block with a body counts twice, as in the verifier: it takes six levels of `ir.json`, and
        pydantic's parser accepts 200.
        """
        if len(frames) + self.graphs > MAX_NESTING:
            self.sink.error(
                "DG0508",
                at,
                f"blocks are nested more than {MAX_NESTING} levels deep",
                label="too deep",
                help="a block with a body counts as two levels",
            )
            raise Exhausted
