"""The `via` clauses of a graph -> its routers, and the gates of its edges."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dagdsl.ir.element import unchecked
from dagdsl.ir.nodes import Gate, Node, Router, Shape
from dagdsl.sema import routers
from dagdsl.sema.context import Context
from dagdsl.sema.scope import Scope
from dagdsl.sema.values import UNKNOWN_SHAPE
from dagdsl.sema.vertices import Link, Wiring
from dagdsl.source import Frame


@dataclass(frozen=True, slots=True)
class Gating:
    """Builds the routers of a graph whose node and edge shapes are known."""

    wiring: Wiring
    scope: Scope
    context: Context
    frames: tuple[Frame, ...]
    nodes: Sequence[Node]
    shapes: Mapping[str, Shape]
    carried: Mapping[tuple[str, str], Shape]
    """(source, target) -> the shape that the edge carries."""
    links_into: Mapping[str, Sequence[Link]]

    def build(self) -> tuple[list[Router], dict[tuple[str, str], Gate]]:
        """Return the routers, and the gate of each gated edge by (source, target)."""
        found: list[Router] = []
        gate = unchecked(Gate)
        gates: dict[tuple[str, str], Gate] = {}
        by_via: dict[int, list[Link]] = defaultdict(list)
        for link in self.wiring.links:
            if link.via is not None:
                by_via[link.via].append(link)
        order = {vertex.name: i for i, vertex in enumerate(self.wiring.vertices)}
        names: set[str] = set()
        for number, expr in enumerate(self.wiring.vias):
            plan = routers.plan_router(expr, self.scope, self.context, self.frames)
            if plan is None:
                continue
            for vertex, links in _groups(plan.reads, by_via[number], order):
                x = self._read(plan, vertex, links)
                if x is None:
                    continue
                name = _unique(f"{plan.name}_{vertex}" if vertex else plan.name, names)
                groups = _runs(links) if plan.reads in ("stage", "nothing") else [len(links)]
                reads = self._stage_input() if plan.reads == "stage" else vertex
                router = routers.make_router(plan, name, reads, x, groups, self.context)
                if router is None:
                    break
                found.append(router)
                for index, link in enumerate(links):
                    gates[link.source.name, link.target.name] = gate(router=name, index=index)
        return found, gates

    def _stage_input(self) -> str | None:
        ports = [node.name for node in self.nodes if node.kind == "in"]
        return ports[0] if len(ports) == 1 else None

    def _read(
        self, plan: routers.RouterPlan, vertex: str | None, links: Sequence[Link]
    ) -> Shape | None:
        """Return the shape that a router reads, or None after an error."""
        match plan.reads:
            case "nothing":
                return UNKNOWN_SHAPE
            case "source":
                return self.shapes.get(vertex or "", UNKNOWN_SHAPE)
            case "stage":
                port = self._stage_input()
                if port is None:
                    self.context.sink.error(
                        "DG0604",
                        plan.at,
                        'a router with `reads("stage")` needs a single input, but the net has '
                        "several",
                    )
                    return None
                return self.shapes[port]
            case "target":
                shapes = {
                    self.carried[link.source.name, link.target.name]
                    for link in self.links_into[vertex or ""]
                }
                if UNKNOWN_SHAPE in shapes:
                    return UNKNOWN_SHAPE
                if len(shapes) > 1:
                    self.context.sink.error(
                        "DG0604",
                        plan.at,
                        f"the inputs of `{vertex}` have different shapes, so there is no sum to "
                        "read",
                        label='`reads("target")` needs equal shapes',
                        help='use `reads("source")` or `reads("stage")`',
                    )
                    return None
                return shapes.pop()


def _groups(
    reads: str, links: Sequence[Link], order: dict[str, int]
) -> Iterable[tuple[str | None, list[Link]]]:
    """Group the edges that share a router: by source, by target, or all of them."""
    if reads in ("stage", "nothing"):
        # Sorted by target, because softmax and `normalise` act on the incoming edges of a node.
        yield from [(None, sorted(links, key=lambda link: order[link.target.name]))][: len(links)]
        return
    by_vertex: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_vertex[(link.source if reads == "source" else link.target).name].append(link)
    yield from by_vertex.items()


def _runs(links: Sequence[Link]) -> list[int]:
    """Return the number of edges that enter each target, in order."""
    counts: dict[str, int] = defaultdict(int)
    for link in links:
        counts[link.target.name] += 1
    return list(counts.values())


def _unique(wanted: str, taken: set[str]) -> str:
    """Return an unused identifier similar to `wanted`, and add it to `taken`."""
    base = re.sub(r"\W+", "_", wanted).strip("_") or "router"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    return name
