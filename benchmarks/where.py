"""Time by kind of kernel: the profiles in `docs/performance.md`.

`python -m benchmarks.where` prints, for the nets of the goals at batch size 8, the milliseconds
that each kind of kernel takes in a forward pass and in a training step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.goals.scale import FULL
from dagdsl.benchmark.machine import prepare

if TYPE_CHECKING:
    from dagdsl.benchmark.subjects import Run

BATCH = FULL.training_batch
SHARE = 0.4
"""Share of active MACs in the mode `grouped`."""

TIMES = 3

KINDS = {
    "cpp_fused": "generated",
    "convolution_backward": "gradients of convolutions",
    "convolution": "convolutions",
    "batch_norm": "batch norms",
    "mm": "fully connected",
    "linear": "fully connected",
}
"""Part of a kernel's name -> its kind; the first match counts."""

OTHER = "other"


def main() -> None:
    """Print the table."""
    prepare()
    columns = list(dict.fromkeys((*KINDS.values(), OTHER)))
    print("|", " | ".join((f"batch {BATCH}, ms", *columns, "total")), "|")
    print("|---" + "|---:" * (len(columns) + 1) + "|")
    for name, run in _subjects():
        found = _profile(run)
        cells = [f"{found[kind]:.1f}" for kind in columns]
        print("|", " | ".join((name, *cells, f"{sum(found.values()):.1f}")), "|", flush=True)


def _subjects() -> Iterator[tuple[str, Run]]:
    # `prepare` must run before torch is imported.
    import torch

    import dagdsl
    from benchmarks.goals.nets import DYNAMIC
    from dagdsl.benchmark.models import Models, has_closable_edges, samples, split
    from dagdsl.benchmark.subjects import TrainingStep, evaluation, random_inputs

    for case, dynamic in DYNAMIC.items():
        nets = dynamic.and_chain(FULL.size)
        for name, net in nets.items():
            models = Models(net, "inductor")
            batches = split(samples(net, BATCH), BATCH)
            yield f"{case}, {name}: pass", evaluation(models.get("static", BATCH), batches)
            if has_closable_edges(net):
                models.set_share(SHARE)
                active = models.active(samples(net, BATCH))
                run = evaluation(models.get("grouped", BATCH), batches)
                yield f"{case}, {name}: pass, `grouped`, {active:.0%} active", run
        last = torch.channels_last
        inputs = random_inputs(nets["dagdsl"], BATCH)
        for name, net in nets.items():
            step = TrainingStep(dagdsl.compile(net, seed=0).to(memory_format=last), inputs)
            yield f"{case}, {name}: step", step
        by_hand = TrainingStep(dynamic.by_hand().to(memory_format=last), inputs)
        yield f"{case}, by hand, eager: step", by_hand


def _profile(run: Run) -> Counter[str]:
    """Return milliseconds per call by kind of kernel."""
    import torch
    import torch._inductor.config

    with torch._inductor.config.patch({"cpp.enable_kernel_profile": True}):
        run()
    run()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        for _ in range(TIMES):
            run()
    found: Counter[str] = Counter()
    for event in profile.key_averages():
        kind = next((kind for part, kind in KINDS.items() if part in event.key), OTHER)
        found[kind] += event.self_cpu_time_total / 1e3 / TIMES
    return found


if __name__ == "__main__":
    main()
