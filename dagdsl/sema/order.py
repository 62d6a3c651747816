"""Wiring -> vertices in topological order, or diagnostics of cycles."""

from __future__ import annotations

import heapq
from collections import defaultdict

from dagdsl.diagnostics.sink import Sink
from dagdsl.sema.vertices import Link, Vertex, Wiring

MAX_CYCLES = 20
"""The number of cycles reported per graph. Finding one visits all edges."""


def sort_vertices(wiring: Wiring, sink: Sink) -> None:
    """Sort the vertices topologically. Reports each cycle and cuts it, to check the rest."""
    for _ in range(MAX_CYCLES):
        done = _topological(wiring)
        if len(done) == len(wiring.vertices):
            break
        _cut_cycle(wiring, {v.name for v in wiring.vertices} - {v.name for v in done}, sink)
    if len(done) < len(wiring.vertices):
        # Drop what is left on further cycles: nobody reads that many reports.
        left = {vertex.name for vertex in done}
        wiring.links = [k for k in wiring.links if {k.source.name, k.target.name} <= left]
        wiring.incomplete = True
    wiring.vertices = done


def _cut_cycle(wiring: Wiring, left: set[str], sink: Sink) -> None:
    """Report one cycle among the vertices that could not be sorted, and remove one of its edges."""
    into = {link.target.name: link for link in wiring.links if link.source.name in left}
    name = next(v.name for v in wiring.vertices if v.name in left)
    seen: dict[str, int] = {}
    while name not in seen:
        seen[name] = len(seen)
        name = into[name].source.name
    around = [name, *reversed(list(seen)[seen[name] :])]
    closing = into[name]
    wiring.links.remove(closing)
    wiring.incomplete = True
    sink.error(
        "DG0501",
        closing.at,
        "the wires form a cycle: " + " -> ".join(f"`{n}`" for n in around),
        label="closes the cycle",
        help="a graph must be acyclic: remove one of these wires",
    )


def _topological(wiring: Wiring) -> list[Vertex]:
    """Return the vertices not on or after a cycle, sorted; ties in order of declaration."""
    waiting = {vertex.name: 0 for vertex in wiring.vertices}
    after: dict[str, list[Link]] = defaultdict(list)
    for link in wiring.links:
        waiting[link.target.name] += 1
        after[link.source.name].append(link)
    by_order = {vertex.order: vertex for vertex in wiring.vertices}
    ready = [vertex.order for vertex in wiring.vertices if not waiting[vertex.name]]
    heapq.heapify(ready)
    done: list[Vertex] = []
    while ready:
        vertex = by_order[heapq.heappop(ready)]
        done.append(vertex)
        for link in after[vertex.name]:
            waiting[link.target.name] -= 1
            if not waiting[link.target.name]:
                heapq.heappush(ready, link.target.order)
    return done
