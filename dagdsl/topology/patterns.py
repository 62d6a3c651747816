"""Connect patterns: number of nodes -> edges between `in` (0), the nodes (1 to n) and `out`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from dagdsl.errors import UsageError
from dagdsl.ops.admission import admit_params
from dagdsl.ops.spec import REQUIRED, Param, Params, whole
from dagdsl.registry import Registry
from dagdsl.topology import random_graphs

Pair: TypeAlias = tuple[int, int]


class PatternError(Exception):
    """The pattern cannot wire that many nodes. `str(error)` and `help` go into the diagnostic."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, slots=True)
class Pattern:
    """A connect pattern with its parameters.

    `edges(n, params)` returns the edges and may raise PatternError. `most(n, params)` is an upper
    bound on their number, computed without generating them.
    """

    name: str
    doc: str
    most: Callable[[int, Params], int]
    edges: Callable[[int, Params], Iterable[Pair]]
    params: tuple[Param, ...] = ()


def _complete(n: int, p: Params) -> Iterable[Pair]:
    return ((i, j) for i in range(n + 1) for j in range(i + 1, n + 2))


def _chain(n: int, p: Params) -> Iterable[Pair]:
    return ((i, i + 1) for i in range(n + 1))


def _edges(n: int, p: Params) -> Iterable[Pair]:
    pairs = []
    for word in str(p["pairs"]).split():
        low, _, high = word.partition("-")
        if not all(end.isascii() and end.isdigit() and len(end) < 9 for end in (low, high)):
            raise PatternError(
                f"`{word}` is not an edge", "write each edge as two numbers, like `0-1 1-2`"
            )
        if not int(low) < int(high) <= n + 1:
            raise PatternError(
                f"`{word}` is not an edge between these nodes",
                f"edges run from a lower number to a higher one; `in` is 0 and `out` is {n + 1}",
            )
        pairs.append((int(low), int(high)))
    return pairs


def listed(pairs: Iterable[Pair]) -> str:
    """Return the argument of the pattern `edges` that lists these edges.

    >>> listed([(0, 1), (1, 2)])
    '0-1 1-2'
    """
    return " ".join(f"{low}-{high}" for low, high in pairs)


def oriented(n: int, undirected: Iterable[Pair]) -> list[Pair]:
    """Turn an undirected graph over the nodes 0 to n - 1 into a DAG from `in` to `out`.

    Each edge runs from the lower number to the higher. `in` feeds the nodes without an incoming
    edge; the nodes without an outgoing edge feed `out` (RandWire, arXiv 1904.01569, section 3.2).

    >>> oriented(3, [(0, 1), (2, 0)])
    [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)]
    """
    inner = sorted((min(a, b) + 1, max(a, b) + 1) for a, b in undirected)
    fed, feeding = {j for _, j in inner}, {i for i, _ in inner}
    nodes = range(1, n + 1)
    first = [(0, j) for j in nodes if j not in fed]
    last = [(i, n + 1) for i in nodes if i not in feeding]
    return [*first, *inner, *last]


def _ws(n: int, p: Params) -> Sequence[Pair]:
    k = whole(p, "k")
    if k % 2 or k >= n:
        raise PatternError(
            f"`ws` cannot link each of {n} nodes to its {k} nearest",
            "`k` must be even and smaller than the number of nodes",
        )
    return oriented(n, random_graphs.watts_strogatz(n, k, _real(p, "p"), whole(p, "seed")))


def _ba(n: int, p: Params) -> Sequence[Pair]:
    m = whole(p, "m")
    if m >= n:
        raise PatternError(
            f"`ba` cannot link each new node to {m} earlier ones: there are only {n} nodes",
            "`m` must be smaller than the number of nodes",
        )
    return oriented(n, random_graphs.barabasi_albert(n, m, whole(p, "seed")))


def _er(n: int, p: Params) -> Sequence[Pair]:
    return oriented(n, random_graphs.erdos_renyi(n, _real(p, "p"), whole(p, "seed")))


def _real(p: Params, name: str) -> float:
    value = p[name]
    assert isinstance(value, int | float)
    return float(value)


_SEED = Param("seed", "int", 0, "seed of the random graph", low=0)


def _admit(pattern: Pattern, source: str) -> Pattern:
    """Return the pattern with checked edges. Raises UsageError, as `edges` does, if it is wrong."""
    what = f"pattern `{pattern.name}` of {source}"
    admit_params(pattern.params, what)

    def edges(n: int, p: Params) -> Sequence[Pair]:
        try:
            pairs = list(pattern.edges(n, p))
        except PatternError:
            raise
        except Exception as error:
            raise UsageError(f"{what} fails on {n} nodes: {error!r}") from error
        if len(pairs) > pattern.most(n, p) or not all(0 <= i < j <= n + 1 for i, j in pairs):
            raise UsageError(f"{what} returns invalid edges for {n} nodes")
        return pairs

    return replace(pattern, edges=edges)


PATTERNS: Final[Registry[Pattern]] = Registry(
    "dagdsl.patterns",
    Pattern,
    (
        Pattern(
            "complete",
            "Every earlier vertex feeds every later one, including `in` and `out`.",
            lambda n, p: (n + 1) * (n + 2) // 2,
            _complete,
        ),
        Pattern("chain", "Each vertex feeds the next.", lambda n, p: n + 1, _chain),
        Pattern(
            "edges",
            "The listed edges, in that order. `in` is vertex 0, the nodes are numbered from 1 in "
            "the order of their declaration, and `out` follows the last.",
            lambda n, p: str(p["pairs"]).count("-"),
            _edges,
            (Param("pairs", "str", REQUIRED, 'pairs of vertex numbers, like `"0-1 0-2 1-2"`'),),
        ),
        Pattern(
            "ws",
            "A small world (Watts and Strogatz): a ring of nodes, each linked to its `k` nearest "
            "neighbours; each link is rewired with probability `p`. Links run from the earlier "
            "node to the later; `in` and `out` connect the ends.",
            lambda n, p: n * whole(p, "k") // 2 + 2 * n,
            _ws,
            (
                Param("k", "int", 4, "neighbours of each node in the ring; must be even", low=2),
                Param("p", "float", 0.75, "probability of rewiring a link", low=0, high=1),
                _SEED,
            ),
        ),
        Pattern(
            "ba",
            "A scale-free graph (Barabási and Albert): each new node is linked to `m` earlier "
            "ones, preferring those with many links. `in` and `out` connect the ends.",
            lambda n, p: n * whole(p, "m") + 2 * n,
            _ba,
            (Param("m", "int", 5, "links of each new node", low=1), _SEED),
        ),
        Pattern(
            "er",
            "A random graph (Erdős and Rényi): any two nodes are linked with probability `p`. "
            "Links run from the earlier node to the later; `in` and `out` connect the ends.",
            lambda n, p: n * (n - 1) // 2 + 2 * n,
            _er,
            (Param("p", "float", 0.2, "probability of a link", low=0, high=1), _SEED),
        ),
    ),
    _admit,
)
"""Name -> pattern: the built-in ones, then those of installed packages."""
