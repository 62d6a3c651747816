"""Random graphs by networkx: number of nodes and seed -> undirected edges, always the same.

networkx does not guarantee the same graphs in later versions. Each generator therefore first draws
a small graph whose edges are known here, and raises if they differ. Otherwise an upgrade would
silently change the wiring of existing nets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, TypeAlias

from dagdsl.errors import UsageError
from dagdsl.optional import import_optional

Edges: TypeAlias = tuple[tuple[int, int], ...]

_KNOWN: Final[dict[str, tuple[tuple[int | float, ...], str]]] = {
    "watts_strogatz_graph": ((8, 4, 0.5), "02 03 04 05 06 15 16 17 23 26 35 37 45 46 57 67"),
    "barabasi_albert_graph": ((8, 2), "01 02 03 04 07 13 26 34 35 36 45 57"),
    "erdos_renyi_graph": ((8, 0.3), "01 04 13 14 23 26 35 36 47 57 67"),
}
"""Generator -> its arguments before the seed (1), and the expected edges, two digits each."""


def watts_strogatz(n: int, k: int, p: float, seed: int) -> Edges:
    """Draw a ring of `n` nodes with `k` neighbours each, its links rewired with probability `p`."""
    return _draw("watts_strogatz_graph", n, k, p, seed=seed)


def barabasi_albert(n: int, m: int, seed: int) -> Edges:
    """Draw `n` nodes, each linked to `m` earlier ones, chosen in proportion to their degree."""
    return _draw("barabasi_albert_graph", n, m, seed=seed)


def erdos_renyi(n: int, p: float, seed: int) -> Edges:
    """Draw `n` nodes, any two of them linked with probability `p`."""
    return _draw("erdos_renyi_graph", n, p, seed=seed)


def _draw(name: str, *args: int | float, seed: int) -> Edges:
    return _edges(_generator(name)(*args, seed=seed).edges)


@cache
def _generator(name: str) -> Callable[..., Any]:
    """Return a generator of networkx after checking that it draws the expected graph."""
    # Importing networkx takes a quarter of a second: only random graphs pay for it.
    nx = import_optional("networkx", "drawing a random graph")

    generate: Callable[..., Any] = getattr(nx, name)
    args, known = _KNOWN[name]
    expected = tuple((int(edge[0]), int(edge[1])) for edge in known.split())
    if _edges(generate(*args, seed=1).edges) != expected:
        raise UsageError(
            f"networkx {nx.__version__} draws different random graphs from the supported versions: "
            'install "networkx>=3.6,<3.7"'
        )
    return generate


def _edges(drawn: Iterable[tuple[int, int]]) -> Edges:
    return tuple(sorted((min(a, b), max(a, b)) for a, b in drawn))
