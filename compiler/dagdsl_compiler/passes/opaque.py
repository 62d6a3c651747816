"""Hides operations from the code generator that would need a separate kernel for every edge.

Both passes are for training on a CPU with Inductor, after the others. The generated code is then
the same for all nodes of a kind, however the graph is wired.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from dagdsl_compiler.passes.base import layer_at
from dagdsl_compiler.passes.subgraph import extract_subgraph, replace_by_call
from dagdsl_compiler.runtime import aggregate, gate, liveness
from dagdsl_compiler.runtime.junction import fan_out, junction
from dagdsl_compiler.runtime.opaque import opaque, register


@dataclass(frozen=True, slots=True)
class FanOut:
    """Replace weighted sums by junctions: one operator, forward and backward."""

    name: ClassVar[str] = "fan_out"

    def run(self, module: fx.GraphModule) -> None:
        """See the class."""
        graph = module.graph
        sums = [
            node
            for node in graph.find_nodes(op="call_function", target=aggregate.weighted_sum)
            if any(weight is not None for weight in node.args[1])
        ]
        fans: dict[tuple[fx.Node, fx.Node], _Fan] = {}
        plans = [(node, list(_entries(graph, node))) for node in sums]
        for node, entries in plans:
            for value, (matrix, column) in entries:
                if matrix is not None:
                    fan = fans.setdefault((value, matrix), _Fan(node, []))
                    fan.columns.append(column)
        copies = {pair: _fan_out(graph, *pair, fan) for pair, fan in fans.items()}
        for node, entries in plans:
            values, matrices, columns = [], [], []
            for value, (matrix, column) in entries:
                values.append(value if matrix is None else next(copies[value, matrix]))
                matrices.append(value if matrix is None else matrix)
                columns.append(column)
            node.target, node.args = junction, (values, matrices, columns)
        graph.eliminate_dead_code()


@dataclass(slots=True)
class _Fan:
    """A value to fan out before `first`, the first sum that reads it, with these columns."""

    first: fx.Node
    columns: list[int]


def _fan_out(graph: fx.Graph, value: fx.Node, matrix: fx.Node, fan: _Fan) -> Iterator[fx.Node]:
    """The copies of a value, in the order of the columns."""
    with graph.inserting_before(fan.first):
        call = graph.create_node(
            "call_function", fan_out, (value, matrix, fan.columns), name=f"{value.name}_fan"
        )
        copies = [
            graph.create_node("call_function", operator.getitem, (call, i), name=f"{call.name}_{i}")
            for i in range(len(fan.columns))
        ]
    for node in (call, *copies):
        node.meta.update(value.meta)
    return iter(copies)


def _entries(
    graph: fx.Graph, node: fx.Node
) -> Iterator[tuple[fx.Node, tuple[fx.Node | None, int]]]:
    """The values of a sum, each with the matrix and the column of its weight."""
    values: Any = node.args[0]
    weights: Any = node.args[1]
    for value, weight in zip(values, weights, strict=True):
        yield value, (None, -1) if weight is None else _column(graph, weight)


def _column(graph: fx.Graph, weight: fx.Node) -> tuple[fx.Node, int]:
    if weight.target is operator.getitem:
        entries, index = weight.args
        assert isinstance(entries, fx.Node)
        if entries.target is torch.unbind and entries.args[1] == 1:
            matrix = entries.args[0]
            assert isinstance(matrix, fx.Node)
            assert isinstance(index, int)
            return matrix, index
    for user in weight.users:
        if user.target is torch.unsqueeze:
            return user, 0
    with graph.inserting_after(weight):
        matrix = graph.create_node(
            "call_function", torch.unsqueeze, (weight, 1), name=f"{weight.name}_column"
        )
    matrix.meta.update(weight.meta)
    return matrix, 0


_GATES = gate.BY_SAMPLE | {gate.keep_strongest, liveness.any_open, liveness.both}
"""Functions of a few numbers per sample."""

_OF_GATES: frozenset[Callable[..., Any]] = frozenset(
    {liveness.masked, operator.getitem, torch.unbind, torch.unsqueeze}
)
"""Functions that count as such if their first argument is the result of one."""


@dataclass(frozen=True, slots=True)
class OpaqueGates:
    """Turn the arithmetic of gates, from the last layer of the routers on, into opaque operators.

    Everything that can be computed at one point of the graph becomes one operator.
    """

    name: ClassVar[str] = "opaque_gates"

    def run(self, module: fx.GraphModule) -> None:
        """See the class."""
        small = _small(module)
        level: dict[fx.Node, int] = {}
        for node in module.graph.nodes:
            # A large node that reads a small one is one level later, so that no operator of a level
            # depends on another operator of the same level.
            level[node] = max(
                (level[x] + (x in small and node not in small) for x in node.all_input_nodes),
                default=0,
            )
        clusters: dict[int, list[fx.Node]] = {}
        for node in module.graph.nodes:
            if node in small:
                clusters.setdefault(level[node], []).append(node)
        _sort(module.graph, lambda node: (level[node], node in small))
        for members in clusters.values():
            _outline(module, members)


def _small(module: fx.GraphModule) -> set[fx.Node]:
    """The nodes of gate arithmetic: their values are a few numbers per sample."""
    small: set[fx.Node] = set()
    for node in reversed(module.graph.nodes):
        if node.target in _GATES or (
            _may_begin(module, node)
            and node.users
            and all(user in small or user.target is torch.unbind for user in node.users)
        ):
            small.add(node)
    for node in module.graph.nodes:
        if node.target in _OF_GATES and node.args[0] in small:
            small.add(node)
    return small


def _may_begin(module: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return layer_at(module, node, nn.Linear) is not None
    return node.target is torch.sigmoid


def _sort(graph: fx.Graph, key: Callable[[fx.Node], tuple[int, bool]]) -> None:
    """Sort the nodes by a key that is compatible with their dependencies."""
    body = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
    anchor = graph.output_node()
    for node in sorted(body, key=key):
        anchor.prepend(node)


_LISTS = (gate.keep_strongest, torch.unbind)
"""Functions that return a list. Operators return tensors, so their items are taken inside."""


def _outline(module: fx.GraphModule, members: list[fx.Node]) -> None:
    graph, inside = module.graph, set(members)
    leaving = [
        node
        for node in members
        if node.target not in _LISTS and any(user not in inside for user in node.users)
    ]
    if not leaving:
        return
    for node in members:
        if node.op == "call_module":
            _call_function_instead(module, node, members[0])
    body, inputs = extract_subgraph(members, leaving)
    _number(body)
    key = register(fx.GraphModule(nn.Module(), body))
    with graph.inserting_after(members[-1]):
        call = graph.create_node(
            "call_function", opaque, (key, inputs), name=f"{leaving[0].name}_gates"
        )
    call.meta.update(leaving[0].meta)
    replace_by_call(call, leaving, reversed(members), "result")


def _call_function_instead(module: fx.GraphModule, node: fx.Node, first: fx.Node) -> None:
    """Replace a linear layer by a function call whose parameters are read before `first`.

    An opaque graph has no modules.
    """
    layer = module.get_submodule(str(node.target))
    assert isinstance(layer, nn.Linear)
    names = ["weight"] if layer.bias is None else ["weight", "bias"]
    with module.graph.inserting_before(first):
        parameters = [module.graph.get_attr(f"{node.target}.{name}") for name in names]
    for parameter in parameters:
        parameter.meta.update(node.meta)
    node.op, node.target, node.args = "call_function", _linear, (*node.args, *parameters)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    # Under autocast the features of a router may have a smaller type.
    return F.linear(x.to(weight.dtype), weight, bias)


def _number(body: fx.Graph) -> None:
    """Give the nodes names without meaning, so that equal graphs of different nodes are one."""
    for i, node in enumerate(body.nodes):
        node.name = f"v{i}"
        if node.op == "placeholder":
            node.target = node.name
