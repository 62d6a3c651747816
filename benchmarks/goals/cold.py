"""Cold compilation: a new process with empty caches.

    python -m benchmarks.goals.cold dagdsl DG-ResNet-50 inference

times one case and prints the seconds from the module with its weights to its first result.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.goals.record import Record, single
from benchmarks.goals.scale import QUICK, Scale
from dagdsl.benchmark.timing import Load

if TYPE_CHECKING:
    from dagdsl.benchmark.measure import Say

TASKS = ("inference", "training")


def measure(scale: Scale, say: Say) -> Iterator[Record]:
    """Yield records for whole nets and for stages of increasing size, for each task."""
    cases = [f"stage of {nodes} nodes" for nodes in scale.nodes]
    for case in (*scale.cold_nets, *cases):
        for task in TASKS:
            load = Load()
            ours, theirs = (seconds(who, case, task, scale, say) for who in ("dagdsl", "by hand"))
            held = case in (*scale.cold_nets, cases[-1])
            yield single(
                ours,
                theirs,
                name="dagdsl",
                reference="by hand, torch.compile",
                unit="s",
                case=f"{case}, {task}",
                goal="cold" if held else None,
                limit=0.5 if held else None,
                others=load.others(),
                at=None if case in scale.cold_nets else float(case.split()[2]),
            )


def seconds(who: str, case: str, task: str, scale: Scale, say: Say) -> float:
    """Return the seconds that one compilation takes in its own process."""
    say(f"compiling {case} for {task}: {who}")
    with tempfile.TemporaryDirectory(prefix="dagdsl-cold-") as cache:
        # torch keeps its precompiled headers in TMPDIR, whatever the other two variables say.
        variables = dict.fromkeys(("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TMPDIR"), cache)
        command = [sys.executable, "-m", __spec__.name, who, case, task]
        done = subprocess.run(
            [*command, "quick"] if scale is QUICK else command,
            env={**os.environ, **variables},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def main(who: str, case: str, task: str, quick: str = "") -> None:
    """Compile one network for one task and print the seconds it took."""
    import torch

    import dagdsl
    from benchmarks.goals.nets import DYNAMIC, STAGE
    from benchmarks.goals.scale import FULL
    from benchmarks.peers.dg import dg_stage
    from dagdsl.benchmark.subjects import (
        TrainingStep,
        compiled_evaluation,
        compiled_step,
        evaluation,
        random_inputs,
    )

    scale = QUICK if quick else FULL
    if case in DYNAMIC:
        net = DYNAMIC[case].load(size=scale.size)
        build = DYNAMIC[case].by_hand
        inputs = random_inputs(net, scale.training_batch if task == "training" else 1)
    else:
        nodes = int(case.split()[2])
        net = dagdsl.load(STAGE, nodes=nodes)
        build = lambda: dg_stage(nodes)  # noqa: E731
        inputs = random_inputs(net, scale.training_batch if task == "training" else 1)
    by_hand = build().to(memory_format=torch.channels_last)
    start = time.perf_counter()
    match who, task:
        case "dagdsl", "inference":
            evaluation(dagdsl.compile(net, mode="static"), [inputs])()
        case "dagdsl", _:
            model = dagdsl.compile(net).to(memory_format=torch.channels_last)
            TrainingStep(model, inputs)()
        case _, "inference":
            compiled_evaluation(by_hand, [inputs])
        case _:
            compiled_step(by_hand, inputs)()
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
