"""A class while it is written: its members, and the lines of its `forward` so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dagdsl.analysis.shapes import input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Graph, Op, Router, Shape, Step
from dagdsl.ir.paths import ElementPath, GraphPaths, graphs_in
from dagdsl_compiler.emit.code import INDENT, Code, call, layout
from dagdsl_compiler.emit.gates import GateFunctions
from dagdsl_compiler.emit.identifiers import Names
from dagdsl_compiler.emit.members import Members
from dagdsl_compiler.emit.ops import op_code

Steps = Sequence[Step]
StepPaths = Sequence[ElementPath | GraphPaths]


def is_routed(steps: Steps) -> bool:
    """Whether there are routers somewhere inside: then `routes` is handed in."""
    return any(graph.is_gated for graph in graphs_in(steps))


class Builder(Protocol):
    """What gives the code of a module whose inside is another class's business."""

    gates: GateFunctions

    def block(self, block: Block, at: ElementPath, x: Shape) -> Code:
        """A block."""

    def pipe(self, steps: Steps, at: ElementPath, x: Shape) -> Code:
        """The steps of a node, edge or router."""


@dataclass(slots=True)
class Forward:
    """A class while it is written; `path` is where it stands, `names` those of its variables."""

    build: Builder
    path: str
    names: Names
    members: Members = field(default_factory=Members)
    lines: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def put(self, target: str, code: Code, depth: int = 2) -> None:
        """Write `target = code`."""
        self.lines += layout(code, f"{target} = ", depth=depth)

    def line(self, depth: int, text: str) -> None:
        """Write a line."""
        self.lines.append(INDENT * depth + text)

    def module(self, at: ElementPath) -> str:
        """The expression for the module of an element."""
        return self.members.access(self.inside(at.module))

    def logits(self, router: Router, at: ElementPath, x: Code | None) -> Code:
        """The call of a router that reads `x`, or nothing: then it is a module without input."""
        if x is not None:
            return call(self.module(at), x)
        if len(router.steps) != 1:
            raise ValueError(f"router {router.name!r} reads nothing and has several steps")
        (step,) = at.steps
        assert isinstance(step, ElementPath)
        return call(self.module(step))

    def declare(self, steps: Steps, names: StepPaths, x: Shape) -> None:
        """Make the modules of a pipe, those of the nodes of its graphs included."""
        for step, name in zip(steps, names, strict=True):
            match step, name:
                case Op(), ElementPath():
                    self.members.add(self.inside(name.module), op_code(step, x))
                case Block(), ElementPath():
                    self.members.add(self.inside(name.module), self.build.block(step, name, x))
                case Graph(), GraphPaths():
                    self.declare_graph(step, name)
            x = output_of(step)

    def declare_graph(self, graph: Graph, names: GraphPaths) -> None:
        """Make the modules of a graph."""
        for node, at in zip(graph.nodes, names.nodes, strict=True):
            if node.steps:
                code = self.build.pipe(node.steps, at, input_of(node, graph))
                self.members.add(self.inside(at.module), code)
        for edge, at in zip(graph.edges, names.edges, strict=True):
            if edge.steps:
                code = self.build.pipe(edge.steps, at, graph.node(edge.source).shape)
                self.members.add(self.inside(at.module), code)
        for router, at in zip(graph.routers, names.routers, strict=True):
            if router.reads == "nothing":
                self.declare(router.steps, at.steps, ())
            else:
                code = self.build.pipe(router.steps, at, read_by(router, graph))
                self.members.add(self.inside(at.module), code)

    def inside(self, path: str) -> str:
        """A path as seen from the class."""
        return path.removeprefix(f"{self.path}.") if self.path else path
