"""Time to check nets of 100, 1,000 and 10,000 nodes, in total and per node.

`python benchmarks/frontend.py`; medians of interleaved runs, milliseconds of processor time. Exits
with status 1 if a net takes more than `GOAL` microseconds per node.
"""

from __future__ import annotations

import statistics
import sys
import time

from dagdsl.frontend import analyse
from dagdsl.source import SourceFile

SIZES = (100, 1_000, 10_000)
ROUNDS = 5
GOAL = 350


def text_of(nodes: int) -> str:
    """Return the text of a net with stages of ten gated nodes each."""
    stages = "".join(
        f"  stage s{i} {{ node n[10]: cell  connect complete via gate }}\n"
        for i in range(nodes // 10)
    )
    wires = " -> ".join(f"s{i}" for i in range(nodes // 10))
    return (
        "router gate = gap |> fc |> sigmoid |> threshold(0.3)\n"
        "block cell = conv |> bn |> relu\n"
        f"net N {{\n  input image: f32[8, 8, 8]\n{stages}"
        f"  image -> {wires}\n  output s{nodes // 10 - 1}\n}}\n"
    )


def main() -> int:
    """Measure, print, and compare with the goal."""
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in SIZES:
            source = SourceFile("bench.dg", text_of(size))
            start = time.process_time()
            assert not analyse(source).has_errors
            times[size].append(1000 * (time.process_time() - start))
    print(f"{'nodes':>8} {'ms':>9} {'us per node':>12}")
    per_node = {}
    for size, found in times.items():
        median = statistics.median(found)
        per_node[size] = 1000 * median / size
        print(f"{size:>8,} {median:>9.1f} {per_node[size]:>12.1f}")
    return int(max(per_node.values()) > GOAL)


if __name__ == "__main__":
    sys.exit(main())
