"""Compiled inference of DG nets with all nodes running, compared with their static chains."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import dagdsl
from benchmarks.goals.nets import DYNAMIC
from benchmarks.goals.record import Record, compared
from benchmarks.goals.scale import Scale
from benchmarks.peers.dg import copy_weights
from dagdsl.benchmark.measure import Say
from dagdsl.benchmark.subjects import compiled_evaluation, evaluation, random_inputs
from dagdsl.benchmark.timing import interleaved


def measure(scale: Scale, say: Say) -> Iterator[Record]:
    """Compare with the static chain, which has a limit, and with the hand-written net."""
    for case in scale.nets:
        dynamic = DYNAMIC[case]
        nets = dynamic.and_chain(scale.size)
        for batch in scale.inference_batches:
            say(f"compiling {case}, batch {batch}")
            batches = [random_inputs(nets["dagdsl"], batch)]
            ours = {
                name: dagdsl.compile(net, mode="static", seed=0).to(
                    memory_format=torch.channels_last
                )
                for name, net in nets.items()
            }
            runs = {name: evaluation(model, batches) for name, model in ours.items()}
            theirs = dynamic.by_hand().to(memory_format=torch.channels_last).eval()
            copy_weights(ours["dagdsl"], theirs)
            runs["by hand, eager"] = evaluation(theirs, batches)
            compiled = dynamic.by_hand().to(memory_format=torch.channels_last).eval()
            copy_weights(ours["dagdsl"], compiled)
            runs["by hand, torch.compile"] = compiled_evaluation(compiled, batches)
            timed = interleaved(runs, rounds=scale.rounds, seconds=scale.seconds)
            for name in runs:
                if name != "dagdsl":
                    limited = {"goal": "dense inference", "limit": 1.05}
                    yield compared(
                        timed,
                        "dagdsl",
                        name,
                        case=f"{case}, batch {batch}",
                        batch=batch,
                        **limited if name == "static chain" else {},
                    )
