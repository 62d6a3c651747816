"""A class under construction: its members and the lines of its `forward`."""

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

StepPaths = Sequence[ElementPath | GraphPaths]


def is_routed(steps: Sequence[Step]) -> bool:
    """Whether the steps contain routers. If so, their `forward` takes `routes`."""
    return any(graph.is_gated for graph in graphs_in(steps))


class Builder(Protocol):
    """Makes the code of modules whose contents belong to other classes."""

    gates: GateFunctions

    def block(self, block: Block, at: ElementPath, x: Shape) -> Code:
        """The module of a block."""

    def pipe(self, steps: Sequence[Step], at: ElementPath, x: Shape) -> Code:
        """The module that applies the steps of a node, edge or router."""


@dataclass(slots=True)
class ClassWriter:
    """Writes a class: its members and the lines of its `forward`.

    `path` is the module path of the class in the network, and `names` assigns the local variables
    of `forward`. `keys` are the keys of the routes written so far.
    """

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
        """Write a line, indented by `depth` levels."""
        self.lines.append(INDENT * depth + text)

    def module(self, at: ElementPath) -> str:
        """The expression for the module of an element."""
        return self.members.access(self.relative(at.module))

    def logits(self, router: Router, at: ElementPath, x: Code | None) -> Code:
        """The call of a router that reads `x`; or, if `x` is None, of its module without an input.

        Raises ValueError if a router without an input has several steps.
        """
        if x is not None:
            return call(self.module(at), x)
        if len(router.steps) != 1:
            raise ValueError(f"router {router.name!r} reads nothing, so it must have one step")
        (step,) = at.steps
        assert isinstance(step, ElementPath)
        return call(self.module(step))

    def declare(self, steps: Sequence[Step], names: StepPaths, x: Shape) -> None:
        """Add the modules of consecutive steps, and of the graphs among them, as members."""
        for step, name in zip(steps, names, strict=True):
            match step, name:
                case Op(), ElementPath():
                    self.members.add(self.relative(name.module), op_code(step, x))
                case Block(), ElementPath():
                    self.members.add(self.relative(name.module), self.build.block(step, name, x))
                case Graph(), GraphPaths():
                    self.declare_graph(step, name)
            x = output_of(step)

    def declare_graph(self, graph: Graph, names: GraphPaths) -> None:
        """Add the modules of a graph as members."""
        for node, at in zip(graph.nodes, names.nodes, strict=True):
            if node.steps:
                code = self.build.pipe(node.steps, at, input_of(node, graph))
                self.members.add(self.relative(at.module), code)
        for edge, at in zip(graph.edges, names.edges, strict=True):
            if edge.steps:
                code = self.build.pipe(edge.steps, at, graph.node(edge.source).shape)
                self.members.add(self.relative(at.module), code)
        for router, at in zip(graph.routers, names.routers, strict=True):
            if router.reads == "nothing":
                self.declare(router.steps, at.steps, ())
            else:
                code = self.build.pipe(router.steps, at, read_by(router, graph))
                self.members.add(self.relative(at.module), code)

    def relative(self, path: str) -> str:
        """A module path, relative to the class."""
        return path.removeprefix(f"{self.path}.") if self.path else path
