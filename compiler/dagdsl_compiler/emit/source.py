"""Net -> `model.py`: standalone PyTorch source that computes what the compiled network computes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import dagdsl
from dagdsl.analysis.shapes import output_of
from dagdsl.ir.nodes import Block, Graph, Net, Op, Shape, Step
from dagdsl.ir.paths import ElementPath, GraphPaths, graphs_in, paths_of
from dagdsl.ops.spec import format_shape
from dagdsl_compiler.emit import describe
from dagdsl_compiler.emit.added import alias_of, modules_of
from dagdsl_compiler.emit.classes import Body, Classes, Place, assign, routes_key
from dagdsl_compiler.emit.code import (
    INDENT,
    ArgCode,
    CallCode,
    Code,
    call,
    docstring,
    layout,
    literal,
)
from dagdsl_compiler.emit.definitions import DEFINITIONS, definition, names_in, needed
from dagdsl_compiler.emit.forward import Forward, StepPaths, Steps, is_routed
from dagdsl_compiler.emit.gates import LOCALS, GateFunctions
from dagdsl_compiler.emit.graphs import GraphWriter
from dagdsl_compiler.emit.identifiers import Names, is_attribute, pascal, snake
from dagdsl_compiler.emit.loops import write_loop
from dagdsl_compiler.emit.ops import op_code

_FORWARD = (
    "The outputs for a batch; with `return_routes` the pair of them and the routes: for each graph "
    "with routers the weight [B, V, V] of the edge from vertex i to vertex j."
)
_MAX_WORDS = 4
_NAME = re.compile(r"\w+(\[[0-9]+\])?")


def emit_source(net: Net) -> str:
    """The text of `model.py`.

    It imports nothing but torch and the packages whose ops the net has, takes the `state_dict` of
    the compiled network, and gives the same outputs, routes and gradients. Raises ValueError where
    the IR has an op that the catalogue does not have, a name that is none, or shapes that disagree;
    UsageError where an op's module stands where nothing can import it.
    """
    _check_names((net.graph,))
    return _Source(net).text()


class _Source:
    """The file while it is written."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.packages = modules_of(net)
        taken = ["torch", "nn", "Tensor", "Any", "annotations", "self", *DEFINITIONS]
        self.names = Names([*taken, *map(alias_of, self.packages)])
        as_it_is = is_attribute(net.name) and net.name not in LOCALS
        name = net.name if as_it_is else pascal(net.name)
        self.class_name = self.names.new(name)
        self.gates = GateFunctions.of(net, self.names)
        self.classes = Classes(self.names)

    def text(self) -> str:
        """The whole file."""
        net = self._net()
        classes = list(self.classes.print())
        gates = [function.print() for function in self.gates.functions.values()]
        own = [*gates, *classes, list(net)]
        used = needed("\n".join(line for part in own for line in part))
        text = "\n\n\n".join("\n".join(part) for part in [*map(definition, used), *own])
        head = [*self._head(), "from typing import Any", ""]
        head += [f"import {path} as {alias_of(path)}" for path in self.packages]
        head += ["import torch"] if "torch" in names_in(text) else []
        return "\n".join([*head, "from torch import Tensor, nn", "", "", text]) + "\n"

    def _head(self) -> list[str]:
        net = self.net
        about = (
            f"Written by dagdsl {dagdsl.__version__}.",
            f"IR sha256: {net.hash}",
            *(f"{name} = {value}" for name, value in net.settings.items()),
        )
        needs = " and ".join(["torch", *dict.fromkeys(p.partition(".")[0] for p in self.packages)])
        lines = docstring(
            [
                f"{net.name}: {describe.elements(net)}.",
                about,
                "Its modules have the names they have in the compiled network, so checkpoints fit. "
                f"It needs nothing but {needs}: read it, change it, keep it.",
            ],
            depth=0,
        )
        return [*lines, "", "from __future__ import annotations", ""]

    # Modules

    def block(self, block: Block, at: ElementPath, x: Shape) -> Code:
        """A block: a class of its own."""
        shape = describe.transition(x, block.shape)
        place = Place(at.label, f"Block `{block.name}`", shape)
        return self._module(block.steps, at, x, block.name, block.name, place)

    def pipe(self, steps: Steps, at: ElementPath, x: Shape) -> Code:
        """The steps of a node, edge or router: written in place, but for graphs and repetitions."""
        name = at.label.rpartition(".")[2]
        shape = describe.transition(x, output_of(steps[-1]))
        if isinstance(steps[-1], Graph):
            place = Place(at.label, f"Stage `{name}`", shape)
            return self._module(steps, at, x, "stage", name, place)
        kinds = [step.op if isinstance(step, Op) else step.kind for step in steps]
        is_plain = not {"block", "graph"} & set(kinds)
        what = " |> ".join(kinds) if is_plain else f"Node `{name}`"
        wish = "_".join(kinds[:_MAX_WORDS]) if is_plain else name
        return self._module(steps, at, x, "pipe", wish, Place(at.label, what, shape))

    def _module(
        self, steps: Steps, at: ElementPath, x: Shape, family: str, wish: str, place: Place
    ) -> Code:
        """An instance of the class that applies the steps."""
        if not _needs_forward(steps):
            members = self._members(steps, at, x)
            return self.classes.use(Body(family, members, inline=family == "pipe"), wish, place)
        names = self.names.child()
        variable = names.new("x")
        formals = f"self, {variable}: Tensor"
        if is_routed(steps):
            formals += f", {names.new('routes')}: dict[str, Tensor] | None"
        write = Forward(self, at.module, names)
        write.declare(steps, at.steps, x)
        result = _apply(write, steps, at.steps, variable)
        lines = (
            f"{INDENT}def forward({formals}) -> Tensor:",
            *write.lines,
            f"{INDENT * 2}return {result}",
        )
        graphs = [step for step in steps if isinstance(step, Graph)]
        details = tuple(line for graph in graphs for line in describe.graph(graph))
        body = Body(family, tuple(write.members), lines, tuple(write.keys))
        return self.classes.use(body, wish, replace(place, details=details))

    def _members(self, steps: Steps, at: ElementPath, x: Shape) -> tuple[tuple[str, Code], ...]:
        members: list[tuple[str, Code]] = []
        for step, name in zip(steps, at.steps, strict=True):
            assert isinstance(name, ElementPath)
            assert not isinstance(step, Graph)
            code = op_code(step, x) if isinstance(step, Op) else self.block(step, name, x)
            members.append((name.module.rpartition(".")[2], code))
            x = output_of(step)
        return tuple(members)

    # The net itself

    def _net(self) -> Iterator[str]:
        """Collects the classes at once; its lines are for after they have got their names."""
        net, names = self.net, paths_of(self.net)
        local = self.names.child()
        write = Forward(self, "", local)
        write.declare_graph(net.graph, names)
        for name in ("self", "return_routes", "routes"):
            local.new(name)
        values = {node.name: local.new(snake(node.name)) for node in net.inputs}
        write.lines.append(
            f"{INDENT * 2}routes: dict[str, Tensor] | None = {{}} if return_routes else None"
        )
        formals = [
            "self",
            *(f"{name}: Tensor" for name in values.values()),
            "*",
            "return_routes: bool = False",
        ]
        values = GraphWriter(write, net.graph, names, values).run()
        return self._print_net(write, formals, values)

    def _print_net(
        self, write: Forward, formals: list[str], values: dict[str, str]
    ) -> Iterator[str]:
        net = self.net
        takes = ", ".join(f"{node.name} ({format_shape(node.shape)})" for node in net.inputs)
        gives = ", ".join(describe.output(output) for output in net.outputs)
        yield f"class {self.class_name}(nn.Module):"
        yield from docstring([f"Takes {takes}; gives {gives}.", describe.graph(net.graph)])
        yield ""
        yield f"{INDENT}def __init__(self) -> None:"
        yield f"{INDENT * 2}super().__init__()"
        for name, code in write.members:
            yield from assign(name, self.classes.filled(code))
        yield ""
        arguments = CallCode("def forward", tuple(map(ArgCode, formals)))
        yield from layout(arguments, suffix=" -> Any:", depth=1)
        yield from docstring([_FORWARD], depth=2)
        for line in write.lines:
            for index, key in enumerate(write.keys):
                line = line.replace(routes_key(index), literal(key))
            yield line
        yield from layout(self._outputs(values), "outputs = ", depth=2)
        yield f"{INDENT * 2}return outputs if routes is None else (outputs, routes)"

    def _outputs(self, values: dict[str, str]) -> Code:
        made = {output.name: _output(output.value, values) for output in self.net.outputs}
        if len(made) == 1 and isinstance(self.net.outputs[0].value, str):
            return next(iter(made.values()))
        return _dict(made)


def _apply(to: Forward, steps: Steps, names: StepPaths, x: str) -> str:
    """Write a pipe applied to the variable `x`; gives the variable of its result."""
    for step, name in zip(steps, names, strict=True):
        if isinstance(step, Graph):
            assert isinstance(name, GraphPaths)
            first, last = step.nodes[0].name, step.nodes[-1].name
            looped = write_loop(to, step, name, x)
            x = looped or GraphWriter(to, step, name, {first: x}).run()[last]
        else:
            assert isinstance(name, ElementPath)
            routes = ["routes"] if is_routed((step,)) else []
            to.put(x, call(to.module(name), x, *routes))
    return x


def _output(value: str | dict[str, str], values: dict[str, str]) -> Code:
    if isinstance(value, str):
        return values[value]
    return _dict({tap: values[node] for tap, node in value.items()})


def _dict(items: dict[str, Code]) -> Code:
    args = tuple(ArgCode(code, f"{literal(name)}: ") for name, code in items.items())
    return CallCode("", args, "{}")


def _needs_forward(steps: Steps) -> bool:
    return is_routed(steps) or any(isinstance(step, Graph) for step in steps)


def _check_names(steps: tuple[Step, ...]) -> None:
    """A name may come from a file that nobody vouches for."""
    for graph in graphs_in(steps):
        for name in (*(node.name for node in graph.nodes), *(r.name for r in graph.routers)):
            _check_name(name)
        for node in graph.nodes:
            for step in node.steps:
                _check_step(step)
        for edge in graph.edges:
            for step in edge.steps:
                _check_step(step)


def _check_step(step: Step) -> None:
    if isinstance(step, Block):
        _check_name(step.name)
        for inner in step.steps:
            _check_step(inner)


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name")
