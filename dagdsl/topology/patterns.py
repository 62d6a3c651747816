"""Connect patterns: a number of nodes -> edges between `in` (0), the nodes (1 to n) and `out`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

Pairs = Iterator[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rule. `count(n)` is the number of edges `edges(n)` gives, known before it is asked."""

    name: str
    doc: str
    count: Callable[[int], int]
    edges: Callable[[int], Pairs]


def _complete(n: int) -> Pairs:
    return ((i, j) for i in range(n + 1) for j in range(i + 1, n + 2))


def _chain(n: int) -> Pairs:
    return ((i, i + 1) for i in range(n + 1))


PATTERNS: MappingProxyType[str, Pattern] = MappingProxyType(
    {
        pattern.name: pattern
        for pattern in (
            Pattern(
                "complete",
                "Every earlier vertex feeds every later one, `in` and `out` included.",
                lambda n: (n + 1) * (n + 2) // 2,
                _complete,
            ),
            Pattern("chain", "Each vertex feeds the next.", lambda n: n + 1, _chain),
        )
    }
)
"""Name -> pattern."""
