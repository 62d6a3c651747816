"""Two nets -> the differences between them as networks, however they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from dagdsl.analysis.cost import CostSummary, cost_of_net
from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Op, Router, Step, Value
from dagdsl.ops.spec import format_shape

Kind = Literal["added", "removed", "changed"]
_NOT_SHOWN = ("name", "steps", "groups")
"""Fields of a router that are not compared as values: its name is generated, the others have
their own comparison."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference: the element `what`, such as `node s1.n[0]`, and the `details` that changed.

    >>> import dagdsl
    >>> before, after = (dagdsl.load("examples/quickstart.dg", depth=depth) for depth in (3, 2))
    >>> dagdsl.diff(before, after).changes[0]
    Change(kind='removed', what='node s1.n[2]', details=())
    """

    kind: Kind
    what: str
    details: tuple[str, ...] = ()


def changes(before: Net, after: Net) -> list[Change]:
    """Return all differences in net order. Empty if and only if the hashes are equal.

    >>> import dagdsl
    >>> narrow, wide = (dagdsl.load("examples/quickstart.dg", width=width) for width in (8, 16))
    >>> changes(narrow, wide)[0].details
    ('shape 8 x 8 x 8 -> 16 x 8 x 8', 'conv channels 8 -> 16')
    """
    found = list(_compare(_facts(before), _facts(after)))
    if not found and before.hash != after.hash:
        found.append(Change("changed", "order", ("nodes or edges come in another order",)))
    return found


def costs(before: Net, after: Net) -> dict[str, tuple[int, int]]:
    """Return the costs that differ: name -> (before, after)."""
    both = cost_of_net(before), cost_of_net(after)
    pairs = {
        name: (getattr(both[0], name), getattr(both[1], name)) for name in CostSummary.__slots__
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class _Fact:
    """A node, edge, router or output. `values` are compared by name, `ops` as a sequence."""

    values: Mapping[str, str]
    ops: tuple[tuple[str, Mapping[str, Value | None]], ...] = ()
    gate: _Fact | None = None


_WORDS = {"in": "input", "out": "port"}


def _facts(net: Net) -> dict[str, _Fact]:
    facts = dict(_graph_facts(net.graph, ""))
    for output in net.outputs:
        taps = output.value if isinstance(output.value, dict) else {"": output.value}
        values = {f"tap `{tap}`" if tap else "node": node for tap, node in taps.items()}
        facts[f"output {output.name}"] = _Fact(values)
    return facts


def _graph_facts(graph: Graph, path: str) -> Iterator[tuple[str, _Fact]]:
    for node in graph.nodes:
        name = f"{path}{node.name}"
        word = "port" if path and node.kind in ("in", "out") else _WORDS.get(node.kind, node.kind)
        yield f"{word} {name}", _node_fact(node)
        yield from _inner_facts(node.steps, f"{name}.")
    routers = {router.name: router for router in graph.routers}
    for edge in graph.edges:
        name = f"{path}{edge.source} -> {edge.target}"
        yield f"edge {name}", _edge_fact(edge, routers)
        yield from _inner_facts(edge.steps, f"({name}).")


def _inner_facts(steps: tuple[Step, ...], path: str) -> Iterator[tuple[str, _Fact]]:
    """The facts of the graphs inside a node."""
    for step in steps:
        if isinstance(step, Graph):
            yield from _graph_facts(step, path)
        elif isinstance(step, Block):
            yield from _inner_facts(step.steps, f"{path}{step.name}.")


def _node_fact(node: Node) -> _Fact:
    values = {"shape": format_shape(node.shape), "merge": _merge(node)}
    return _Fact(values, tuple(_ops(node.steps, "")))


def _merge(node: Node) -> str:
    params = ", ".join(f"{name} = {value}" for name, value in node.merge_params.items())
    return f"{node.merge}({params})" if params else node.merge


def _edge_fact(edge: Edge, routers: Mapping[str, Router]) -> _Fact:
    ops = tuple(_ops(edge.steps, ""))
    if edge.gate is None:
        return _Fact({}, ops)
    router = routers[edge.gate.router]
    names = [name for name in Router.model_fields if name not in _NOT_SHOWN]
    values = {name: _text(getattr(router, name)) for name in names}
    return _Fact({}, ops, _Fact(values, tuple(_ops(router.steps, ""))))


def _ops(steps: tuple[Step, ...], path: str) -> Iterator[tuple[str, Mapping[str, Value | None]]]:
    """The ops of the steps and their blocks. Ops of inner graphs belong to facts of their own."""
    for step in steps:
        if isinstance(step, Op):
            yield f"{path}{step.op}", step.params
        elif isinstance(step, Block):
            yield from _ops(step.steps, f"{path}{step.name}.")


def _compare(before: Mapping[str, _Fact], after: Mapping[str, _Fact]) -> Iterator[Change]:
    """Changes in the order of `after`; removed elements appear at their old position."""
    matcher = SequenceMatcher(None, list(before), list(after), autojunk=False)
    for _, low, high, start, end in matcher.get_opcodes():
        for what in list(before)[low:high]:
            if what not in after:
                yield Change("removed", what)
        for what in list(after)[start:end]:
            if what not in before:
                yield Change("added", what)
            elif details := tuple(_details(before[what], after[what])):
                yield Change("changed", what, details)


def _details(before: _Fact, after: _Fact) -> Iterator[str]:
    if before.gate is not None and after.gate is not None:
        yield from (f"gate {detail}" for detail in _details(before.gate, after.gate))
    elif before.gate is not after.gate:
        yield "is no longer gated" if after.gate is None else "is gated now"
    for name in dict.fromkeys((*before.values, *after.values)):
        old, new = before.values.get(name, "none"), after.values.get(name, "none")
        if old != new:
            yield f"{name} {old} -> {new}"
    names = [[op for op, _ in fact.ops] for fact in (before, after)]
    matcher = SequenceMatcher(None, names[0], names[1], autojunk=False)
    for tag, low, high, start, end in matcher.get_opcodes():
        if tag == "equal":
            for old_op, new_op in zip(before.ops[low:high], after.ops[start:end], strict=True):
                yield from _params(old_op[0], old_op[1], new_op[1])
            continue
        yield from (f"without {name}" for name in names[0][low:high])
        yield from (f"with {name}" for name in names[1][start:end])


def _params(
    op: str, before: Mapping[str, Value | None], after: Mapping[str, Value | None]
) -> Iterator[str]:
    for name, old in before.items():
        if old != after.get(name):
            yield f"{op} {name} {_text(old)} -> {_text(after.get(name))}"


def _text(value: Value | None) -> str:
    return (
        "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )
