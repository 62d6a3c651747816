"""What elaboration carries along: the sink, what was used, and the budget that bounds expansion."""

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
    """The net grew over a limit. Already reported; elaboration of the net ends here."""


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
    """The same for names that stand in an arm of `choose` that was not taken."""
    guessed: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    """File -> the statements in it whose syntax was mended by a guess: nothing is said of them."""
    not_taken: dict[int, ast.Expr] = field(default_factory=dict)
    """Such arms by `id()`: what is in them is always the same."""
    broken_syntax: bool = False
    """Whether statements were left out because they could not be read."""
    recursive: set[int] = field(default_factory=set)
    """`id()` of each block and router that uses itself: reported, and never expanded."""
    graphs: int = 0
    """The stages and block bodies around what is being elaborated."""
    nodes: int = 0
    edges: int = 0
    ops: int = 0
    parameters: int = 0

    def use(self, ident: ast.Ident | None) -> None:
        """Remember that a declared name is referred to."""
        if ident is not None:
            self.used.add(id(ident))

    def is_guessed(self, at: Span) -> bool:
        """Whether a place is in a statement whose syntax was mended by a guess."""
        spans = self.guessed.get(at.file.name, ()) if self.guessed else ()
        return any(span.start <= at.start < span.end for span in spans)

    def mention(self, ident: ast.Ident | None) -> None:
        """Remember that a declared name is needed for other settings."""
        if ident is not None:
            self.mentioned.add(id(ident))

    def grow(self, at: Span | Origin, *, nodes: int = 0, edges: int = 0, ops: int = 0) -> None:
        """Account for what is about to be expanded. Raises Exhausted over a limit."""
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
                    f"the net has {count:,} {what} or more, over the limit of {limit:,}",
                    label="too much",
                )
                raise Exhausted

    def reset_budget(self) -> None:
        """Start counting anew, for another net of the same file."""
        self.nodes = self.edges = self.ops = self.parameters = 0

    @contextmanager
    def inner_graph(self) -> Iterator[None]:
        """Elaborate the graph of a stage or of the body of a block."""
        self.graphs += 1
        try:
            yield
        finally:
            self.graphs -= 1

    def nest(self, frames: tuple[Frame, ...], at: Span) -> None:
        """Check the depth of blocks and graphs inside one another. Raises Exhausted over the limit.

        A block with a body counts twice, as in the verifier: it is six levels deep in `ir.json`,
        and pydantic reads 200.
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
