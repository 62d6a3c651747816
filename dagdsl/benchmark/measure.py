"""A net -> the times of its execution modes, compared with each other and with a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from dagdsl.benchmark.models import Batches, Models, has_closable_edges, samples, split
from dagdsl.benchmark.plan import EAGER, BenchPlan, BenchRow
from dagdsl.benchmark.subjects import (
    Run,
    TrainingStep,
    baseline,
    compiled_step,
    evaluation,
    random_inputs,
)
from dagdsl.benchmark.timing import Rounds, interleaved
from dagdsl.ir.nodes import Net
from dagdsl_compiler.driver import Model, compile

Say = Callable[[str], None]
ExtraRuns = Callable[[Model, Batches], dict[str, Run]]


def bench(net: Net, plan: BenchPlan, say: Say = lambda message: None) -> Iterator[BenchRow]:
    """Measure a net with generated weights and yield the results row by row.

    `say` is called with progress messages. Raises UsageError for an invalid plan.
    """
    plan.check()
    return training(net, plan, say) if plan.train else inference(net, plan, say)


def inference(
    net: Net,
    plan: BenchPlan,
    say: Say = lambda message: None,
    extra: ExtraRuns = lambda model, batches: {},
) -> Iterator[BenchRow]:
    """Yield the rows of `bench` for inference.

    `extra` returns further runs to be timed, given the eager model and the batches.
    """
    models = Models(net, plan.backend)
    for share in plan.shares if has_closable_edges(net) else [None]:
        if share is not None:
            say(f"searching router weights for an active share of {share:.0%}")
            models.set_share(share)
        for batch in plan.batches:
            inputs = samples(net, batch)
            batches = split(inputs, batch)
            runs: dict[str, Run] = {}
            if plan.against:
                say(f"compiling {plan.against}, batch {batch}")
                runs[plan.against] = models.baseline(plan.against, batch)
            for mode in _modes(net, plan, batch):
                say(f"compiling {mode}, batch {batch}")
                runs[mode] = evaluation(models.get(mode, batch), batches)
                runs[mode]()
            runs |= extra(models.eager, batches)
            say(f"timing batch {batch}")
            timed = interleaved(runs, rounds=plan.rounds, seconds=plan.seconds)
            yield from rows(timed, batch, models.active(inputs), calls=len(batches))


def training(net: Net, plan: BenchPlan, say: Say) -> Iterator[BenchRow]:
    """Yield the rows of `bench` for a training step."""
    for batch in plan.batches:
        inputs = random_inputs(net, batch)
        steps: dict[str, TrainingStep] = {}
        if plan.against:
            steps[plan.against] = compiled_step(baseline(plan.against), inputs)
        for mode in plan.modes or ("dense", EAGER):
            backend = EAGER if mode == EAGER else plan.backend
            model = compile(net, backend=backend, seed=0).to(memory_format=torch.channels_last)
            steps[mode] = TrainingStep(model, inputs)
        for name, step in steps.items():
            say(f"compiling the training step of {name}, batch {batch}")
            step()
        say(f"timing batch {batch}")
        timed = interleaved(steps, rounds=plan.rounds, seconds=plan.seconds)
        for row in rows(timed, batch, 1.0):
            yield replace(row, peak_bytes=steps[row.name].peak_bytes())


def rows(timed: Rounds, batch: int, active: float, calls: int = 1) -> Iterator[BenchRow]:
    """Yield a row for each timed run. The first run is the reference."""
    reference = next(iter(timed.times))
    for name in timed.times:
        time, ratio = timed.time(name) / calls, timed.ratio(name, reference)
        yield BenchRow(name, batch, active, time, ratio, reference, timed.others)


def _modes(net: Net, plan: BenchPlan, batch: int) -> Sequence[str]:
    if plan.modes:
        return [mode for mode in plan.modes if mode != "branch" or batch == 1]
    if not has_closable_edges(net):
        return ("static", EAGER)
    return ("static", "branch" if batch == 1 else "grouped", "auto")
