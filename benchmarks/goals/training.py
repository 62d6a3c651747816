"""Time and memory of a training step, compared with the static chain and the hand-written net."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import dagdsl
from benchmarks.goals.nets import DYNAMIC
from benchmarks.goals.record import Record, compared, single
from benchmarks.goals.scale import Scale
from dagdsl.benchmark.measure import Say
from dagdsl.benchmark.subjects import TrainingStep, compiled_step, random_inputs
from dagdsl.benchmark.timing import interleaved

GOALS = {"static chain": ("dense training", 1.10), "by hand, eager": ("eager", 0.50)}


def measure(scale: Scale, say: Say) -> Iterator[Record]:
    """Compare forward, backward and optimizer step, in channels-last layout."""
    for case in scale.nets:
        dynamic = DYNAMIC[case]
        nets = dynamic.and_chain(scale.size)
        inputs = random_inputs(nets["dagdsl"], scale.training_batch)
        steps = {
            name: TrainingStep(
                dagdsl.compile(net, seed=0).to(memory_format=torch.channels_last), inputs
            )
            for name, net in nets.items()
        }
        last = torch.channels_last
        steps["by hand, eager"] = TrainingStep(dynamic.by_hand().to(memory_format=last), inputs)
        steps["by hand, torch.compile"] = compiled_step(
            dynamic.by_hand().to(memory_format=last), inputs
        )
        for name, step in steps.items():
            say(f"compiling the training step of {case}: {name}")
            step()
        say(f"timing the training step of {case}")
        timed = interleaved(steps, rounds=scale.rounds, seconds=2 * scale.seconds, warm_up=1)
        label = f"{case}, batch {scale.training_batch}"
        for name in steps:
            if name != "dagdsl":
                goal, limit = GOALS.get(name, (None, None))
                yield compared(timed, "dagdsl", name, case=label, goal=goal, limit=limit)
        peaks = {name: step.peak_bytes() / 2**20 for name, step in steps.items()}
        for name, peak in peaks.items():
            if name != "dagdsl":
                held = name == "static chain" and case == "DG-ResNet-50"
                yield single(
                    peaks["dagdsl"],
                    peak,
                    name="dagdsl",
                    reference=name,
                    unit="MiB",
                    case=label,
                    goal="memory" if held else None,
                    limit=1.15 if held else None,
                )
