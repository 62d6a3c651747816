"""The edges of a graph -> wire and `connect` statements that create them in the same order.

The order matters: `concat` concatenates its inputs in this order. All edges weighed by one router
must come from one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise, takewhile

from dagdsl.ir.nodes import Edge, Graph, Router
from dagdsl.topology.patterns import PATTERNS, listed
from dagdsl.unparse.terms import ArgTerm, CallTerm, Inexpressible, PipeTerm, format_term, literal

PLAIN_PATTERNS = ("complete", "chain")
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Via:
    """The name and the steps of a router.

    Two are equal if their texts are: the same text may stand for different values of defaults.
    """

    base: str
    steps: PipeTerm = field(compare=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", format_term(self.steps))


@dataclass(frozen=True, slots=True)
class WireStatement:
    """A statement: groups of nodes and arrays separated by arrows, or a `connect` pattern."""

    groups: tuple[tuple[str, ...], ...]
    pattern: CallTerm | None
    via: Via | None
    through: PipeTerm | None


@dataclass(slots=True)
class _Segment:
    """Consecutive edges that, judging by their routers, one statement could create."""

    edges: list[Edge]
    via: Via | None
    through: PipeTerm | None
    routers: list[Router]


class GraphWiring:
    """The statements that wire one graph.

    `names` are its nodes in order of declaration, `arrays` the nodes of each array.
    """

    def __init__(
        self,
        graph: Graph,
        names: Sequence[str],
        arrays: Mapping[str, Sequence[str]],
        vias: Mapping[str, Via],
        through: Callable[[Edge], PipeTerm | None],
    ) -> None:
        self._names = names
        self._arrays = arrays
        self._numbers = {name: number for number, name in enumerate(names)}
        self._has_ports = any(node.kind == "out" for node in graph.nodes)
        self._segments = _joined([_segment(run, graph, vias, through) for run in _runs(graph)])

    def statements(self, by_list: bool = False) -> tuple[WireStatement, ...]:
        """Return the statements; with `by_list`, each as `connect edges` with a list of pairs.

        Raises Inexpressible if no statements create the edges in their order.
        """
        wires: list[WireStatement] = []
        for segment in self._segments:
            pairs = [(edge.source, edge.target) for edge in segment.edges]
            pattern = self._pattern(pairs, by_list)
            paths = None if pattern else self._paths(pairs, segment)
            if paths is None:
                pattern = pattern or self._pattern(pairs, by_list=True)
                if pattern is None:
                    raise Inexpressible("no wires create its edges in this order")
                wires.append(WireStatement((), pattern, segment.via, segment.through))
            for path in paths or ():
                groups = tuple(self._refs(group) for group in path)
                wires.append(WireStatement(groups, None, segment.via, segment.through))
        return tuple(wires)

    def _pattern(self, pairs: Sequence[Pair], by_list: bool) -> CallTerm | None:
        if not self._has_ports:
            return None
        numbered = [(self._numbers[a], self._numbers[b]) for a, b in pairs]
        nodes = len(self._names) - 2
        for pattern in map(PATTERNS.__getitem__, () if by_list else PLAIN_PATTERNS):
            count = pattern.most(nodes, {})
            if count == len(pairs) and list(pattern.edges(nodes, {})) == numbered:
                return CallTerm(pattern.name)
        return (
            CallTerm("edges", (ArgTerm("pairs", literal(listed(numbered))),)) if by_list else None
        )

    def _paths(self, pairs: Sequence[Pair], segment: _Segment) -> list[list[list[str]]] | None:
        """Paths that create the edges, or None if they would split the edges of a router."""
        paths: list[list[list[str]]] = []
        ends: set[int] = set()
        at = 0
        while at < len(pairs):
            path = _path(pairs, at)
            at += sum(len(before) * len(after) for before, after in pairwise(path))
            paths.append(path)
            ends.add(at)
        places: dict[str, list[int]] = {}
        for index, edge in enumerate(segment.edges):
            if edge.gate is not None:
                places.setdefault(edge.gate.router, []).append(index)
        cut = any(p[0] < end <= p[-1] for p in places.values() for end in ends)
        return None if cut else paths

    def _refs(self, group: Sequence[str]) -> tuple[str, ...]:
        """References to nodes, or to a whole array where all its nodes follow in order."""
        refs: list[str] = []
        at = 0
        while at < len(group):
            array = self._arrays.get(group[at].partition("[")[0], ())
            if array and list(group[at : at + len(array)]) == list(array):
                refs.append(array[0].partition("[")[0])
                at += len(array)
            else:
                refs.append(group[at])
                at += 1
        return tuple(refs)


def _runs(graph: Graph) -> list[list[Edge]]:
    """Split the edges into the shortest runs that keep the edges of each router together."""
    last: dict[str, int] = {}
    for index, edge in enumerate(graph.edges):
        if edge.gate is not None:
            last[edge.gate.router] = index
    runs: list[list[Edge]] = []
    end = -1
    for index, edge in enumerate(graph.edges):
        if index > end:
            runs.append([])
        runs[-1].append(edge)
        end = max(end, index if edge.gate is None else last[edge.gate.router])
    return runs


def _segment(
    run: list[Edge],
    graph: Graph,
    vias: Mapping[str, Via],
    through: Callable[[Edge], PipeTerm | None],
) -> _Segment:
    gates = [edge.gate for edge in run]
    used = {None if gate is None else vias[gate.router] for gate in gates}
    steps = {through(edge) for edge in run}
    if len(used) > 1 or len(steps) > 1:
        raise Inexpressible("no single statement creates all the edges that one router weighs")
    names = dict.fromkeys(gate.router for gate in gates if gate is not None)
    return _Segment(run, used.pop(), steps.pop(), [graph.router(name) for name in names])


def _joined(segments: list[_Segment]) -> list[_Segment]:
    """Join adjacent segments that one statement can create."""
    joined: list[_Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if last is not None and _may_join(last, segment):
            last.edges += segment.edges
            last.routers += segment.routers
        else:
            joined.append(segment)
    return joined


def _may_join(a: _Segment, b: _Segment) -> bool:
    if a.via != b.via or a.through != b.through:
        return False
    if not all(router.reads in ("source", "target") for router in (*a.routers, *b.routers)):
        return False
    return {r.vertex for r in a.routers}.isdisjoint(r.vertex for r in b.routers)


def _path(pairs: Sequence[Pair], start: int) -> list[list[str]]:
    """The longest `a, b -> c, d -> ...` that creates the edges from `start` on, in order."""
    sources, targets, at = _product(pairs, start)
    groups = [sources, targets]
    while at < len(pairs):
        sources, targets, end = _product(pairs, at, len(groups[-1]))
        if sources != groups[-1]:
            break
        groups.append(targets)
        at = end
    return groups


def _product(
    pairs: Sequence[Pair], start: int, most: int | None = None
) -> tuple[list[str], list[str], int]:
    """At most `most` sources that feed the same targets, these targets, and the next edge."""
    targets = _targets(pairs, start)
    sources = [pairs[start][0]]
    at = start + len(targets)
    while at < len(pairs) and len(sources) != most and _targets(pairs, at) == targets:
        sources.append(pairs[at][0])
        at += len(targets)
    return sources, targets, at


def _targets(pairs: Sequence[Pair], start: int) -> list[str]:
    """The targets of the consecutive edges from `start` on that have the same source."""
    source = pairs[start][0]
    run = takewhile(lambda pair: pair[0] == source, islice(pairs, start, None))
    return [target for _, target in run]
