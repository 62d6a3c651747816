"""A graph while it is wired: vertices and links, before shapes are known."""

from __future__ import annotations

from dataclasses import dataclass, field

from dagdsl.ir.nodes import NodeKind
from dagdsl.source import Origin
from dagdsl.syntax import ast


@dataclass(slots=True)
class Vertex:
    """A future node of a graph: a port, a `node` or a `stage`."""

    name: str
    kind: NodeKind
    at: Origin
    declared: ast.Node | ast.Stage | ast.Input | None = None
    index: int | None = None
    order: int = 0


@dataclass(slots=True)
class Link:
    """A future edge. `via` is the index of its router in `Wiring.vias`."""

    source: Vertex
    target: Vertex
    at: Origin
    through: ast.Expr | None
    via: int | None


@dataclass(slots=True)
class Wiring:
    """The vertices in topological order, the edges as written, and the `via` clauses."""

    vertices: list[Vertex] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    vias: list[ast.Expr] = field(default_factory=list)
    names: dict[str, list[Vertex]] = field(default_factory=dict)
    """A declared name -> its vertex, or the vertices of its array."""
    incomplete: bool = False
    """Whether edges were dropped after a reported error."""
