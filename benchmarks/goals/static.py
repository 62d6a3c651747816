"""Static nets compared with torchvision's, both compiled with frozen weights."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import dagdsl
from benchmarks.goals.nets import STATIC
from benchmarks.goals.record import Record, compared
from benchmarks.goals.scale import Scale
from dagdsl.benchmark.measure import Say
from dagdsl.benchmark.subjects import baseline, compiled_evaluation, evaluation, random_inputs
from dagdsl.benchmark.timing import interleaved


def measure(scale: Scale, say: Say) -> Iterator[Record]:
    """Compare inference at each batch size, in channels-last layout."""
    for case, (file, name) in STATIC.items():
        net = dagdsl.load(file, net=name, size=scale.size)
        theirs = baseline(f"torchvision:{name}")
        for batch in scale.inference_batches:
            say(f"compiling {case}, batch {batch}")
            batches = [random_inputs(net, batch)]
            ours = dagdsl.compile(net, mode="static").to(memory_format=torch.channels_last)
            dagdsl.load_torchvision_weights(ours, theirs.state_dict())
            runs = {
                "dagdsl": evaluation(ours, batches),
                "torchvision": compiled_evaluation(theirs, batches),
            }
            timed = interleaved(runs, rounds=scale.rounds, seconds=scale.seconds)
            yield compared(
                timed,
                "dagdsl",
                "torchvision",
                case=f"{case}, batch {batch}",
                goal="static",
                limit=1.03,
                batch=batch,
            )
