"""Nodes in topological order -> an order of declaration that elaborates to the same order.

Elaboration sorts nodes topologically and breaks ties by the order of declaration. All nodes of an
array are declared together.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from dagdsl.unparse.terms import Inexpressible

Pairs = Iterable[tuple[str, str]]


def declaration_order(
    names: Sequence[str], unit_of: Mapping[str, str], edges: Sequence[tuple[str, str]]
) -> list[str]:
    """Return an order in which to declare the units (nodes and arrays of nodes).

    Raises Inexpressible if there is none.
    """
    units = list(dict.fromkeys(unit_of[name] for name in names))
    if _sorted(names, units, unit_of, edges) == list(names):
        return units
    units = _sort_units(units, _constraints(names, unit_of, edges))
    if _sorted(names, units, unit_of, edges) != list(names):
        raise Inexpressible("no order of declaration gives the order of its nodes")
    return units


def _sorted(
    names: Sequence[str], units: Sequence[str], unit_of: Mapping[str, str], edges: Pairs
) -> list[str]:
    """The topological order of the nodes if their units are declared in this order."""
    rank = {unit: number for number, unit in enumerate(units)}
    by_unit = sorted(range(len(names)), key=lambda i: (rank[unit_of[names[i]]], _index(names[i])))
    order = {names[i]: number for number, i in enumerate(by_unit)}
    found = []
    for _, name in _walk(names, edges, order):
        found.append(name)
    return found


def _walk(
    names: Sequence[str], edges: Pairs, order: Mapping[str, int]
) -> Iterable[tuple[list[tuple[int, str]], str]]:
    """Yield the nodes in topological order, each with the others that were ready at that point."""
    waiting = dict.fromkeys(names, 0)
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        waiting[target] += 1
        after[source].append(target)
    ready = [(order[name], name) for name in names if not waiting[name]]
    heapq.heapify(ready)
    while ready:
        _, name = heapq.heappop(ready)
        yield ready, name
        for target in after[name]:
            waiting[target] -= 1
            if not waiting[target]:
                heapq.heappush(ready, (order[target], target))


def _constraints(
    names: Sequence[str], unit_of: Mapping[str, str], edges: Pairs
) -> dict[str, set[str]]:
    """For each unit, the units that must be declared before it."""
    before: dict[str, set[str]] = defaultdict(set)
    order = {name: number for number, name in enumerate(names)}
    for ready, name in _walk(names, edges, order):
        for _, other in ready:
            if unit_of[other] != unit_of[name]:
                before[unit_of[other]].add(unit_of[name])
    return before


def _sort_units(units: Sequence[str], before: Mapping[str, set[str]]) -> list[str]:
    placed: list[str] = []
    left = list(units)
    while left:
        done = set(placed)
        unit = next((u for u in left if before.get(u, set()) <= done), None)
        if unit is None:
            raise Inexpressible("no order of declaration gives the order of its nodes")
        placed.append(unit)
        left.remove(unit)
    return placed


def _index(name: str) -> int:
    return int(name[:-1].rpartition("[")[2]) if name.endswith("]") else 0
