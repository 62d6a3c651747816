"""Memory and time of a training step with and without checkpointed stages.

`python benchmarks/checkpoint_stages.py`; eager mode; medians of interleaved steps.
"""

from __future__ import annotations

import statistics
import time

import torch

import dagdsl
from dagdsl.benchmark.subjects import TrainingStep

NETS = (
    ("std/models/dg_resnet.dg", "dg_resnet50"),
    ("std/models/dg_mobilenet_v2.dg", "dg_mobilenet_v2"),
)
BATCH = 8
ROUNDS = 5


def main() -> None:
    """Print the table."""
    print(f"| net, batch {BATCH} | peak, MiB | with `all`, MiB | ratio | time of a step |")
    print("|---|---:|---:|---:|---:|")
    for file, name in NETS:
        net = dagdsl.load(file, net=name)
        inputs = tuple(torch.randn(BATCH, *node.shape) for node in net.inputs)
        plain, checkpointed = (
            TrainingStep(dagdsl.compile(net, backend="eager", seed=0, checkpoint=stages), inputs)
            for stages in ((), "all")
        )
        times: dict[TrainingStep, list[float]] = {plain: [], checkpointed: []}
        for _ in range(ROUNDS + 1):
            for step, taken in times.items():
                start = time.perf_counter()
                step()
                taken.append(time.perf_counter() - start)
        slower = statistics.median(
            other / one
            for one, other in zip(times[plain][1:], times[checkpointed][1:], strict=True)
        )
        before, after = (step.peak_bytes() / 2**20 for step in (plain, checkpointed))
        print(
            f"| `{name}` | {before:,.0f} | {after:,.0f} | {after / before:.2f} | x {slower:.2f} |"
        )


if __name__ == "__main__":
    main()
