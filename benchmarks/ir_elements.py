"""Time to make one element of the IR: an op and an edge, four ways.

`python benchmarks/ir_elements.py`; microseconds, the best of many short runs, so that other load on
the machine plays no part.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dagdsl.ir.element import unchecked
from dagdsl.ir.nodes import Edge, Gate, Op, Shape, Step, Value

BATCH = 300
RUNS = 400


@dataclass(frozen=True, kw_only=True)
class OpData:
    """An op as a dataclass, for comparison."""

    kind: str = "op"
    op: str
    params: dict[str, Value | None]
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class EdgeData:
    """An edge as a dataclass, for comparison."""

    source: str
    target: str
    gate: Gate | None = None
    steps: tuple[Step, ...] = ()


def microseconds(make: Callable[[], object]) -> float:
    """Return the time of one call."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(BATCH):
            make()
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / BATCH


def main() -> None:
    """Print the table."""
    op: dict[str, Any] = {"op": "conv", "params": {"kernel": 3}, "shape": (8, 32, 32)}
    gate, steps = Gate(router="gate", index=1), (Op(**op),)
    edge: dict[str, Any] = {"source": "a", "target": "b", "gate": gate, "steps": steps}
    print(f"{'':24}{'op':>6}{'edge':>6}")
    for name, make_op, make_edge in (
        ("frozen dataclass", lambda: OpData(**op), lambda: EdgeData(**edge)),
        ("unchecked", lambda: unchecked(Op)(**op), lambda: unchecked(Edge)(**edge)),
        ("validated", lambda: Op(**op), lambda: Edge(**edge)),
        (
            "model_construct",
            lambda: Op.model_construct(**op),
            lambda: Edge.model_construct(**edge),
        ),
    ):
        print(f"{name:24}{microseconds(make_op):6.2f}{microseconds(make_edge):6.2f}")


if __name__ == "__main__":
    main()
