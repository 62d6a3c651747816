"""The public functions that train networks and measure them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net

if TYPE_CHECKING:
    from torch import Tensor

    from dagdsl.benchmark.machine import Machine
    from dagdsl.benchmark.plan import BenchRow
    from dagdsl.training.config import TrainConfig
    from dagdsl.training.evaluate import ImageRoutes, TrainedRun
    from dagdsl.training.metrics import Evaluation, TrainSummary
    from dagdsl.training.observer import Observer
    from dagdsl_compiler.driver import Model, Profile


def train(
    net: Net,
    config: TrainConfig | None = None,
    *,
    out: str | Path,
    resume: bool = False,
    observer: Observer | None = None,
    **options: Any,
) -> TrainSummary:
    """Train a network as an image classifier and write the run to the folder `out`.

    `options` are the fields of `TrainConfig`, such as `data`, `epochs` and `lr`; they override
    those of `config`. `resume` continues the run in `out`, or starts one if there is none; without
    it `out` must not hold a run. The methods of `observer` are called as training proceeds.

    Returns the summary, measured on the test images with the best weights; these are in
    `best.safetensors`, and `open_run` loads them.

    Raises UsageError if an option is wrong, if the network is not a classifier for this data, if
    the folder, the data or the checkpoint cannot be used, if the loss is not finite, and if a stage
    has closed for good.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg", width=8, depth=2)
    >>> summary = dagdsl.train(net, data="digits", epochs=1, batch_size=256, out="runs/short")
    >>> summary.epochs, summary.test_samples
    (1, 359)
    """
    from dagdsl.training import loop
    from dagdsl.training.config import TrainConfig

    given = {} if config is None else config.model_dump(exclude_unset=True)
    return loop.train(
        net, TrainConfig.of(given | options), Path(out), resume=resume, observer=observer
    )


def open_run(run: str | Path, *, data: str | None = None, device: str = "auto") -> TrainedRun:
    """Load a run folder: the network, a model with the best weights, and the data.

    `data` replaces the data set of the training; it must have the same classes. Raises UsageError
    if files are missing or damaged, or if the data cannot be used.

    >>> import dagdsl
    >>> run = dagdsl.open_run("runs/quickstart")
    >>> run.net.name, run.model.training, len(run.data.test)
    ('Quickstart', False, 359)
    """
    from dagdsl.training import evaluate

    return evaluate.open_run(Path(run), data=data, device=device)


def _opened(run: str | Path | TrainedRun, data: str | None, device: str) -> TrainedRun:
    if isinstance(run, str | Path):
        return open_run(run, data=data, device=device)
    if data is not None or device != "auto":
        raise UsageError("the run is open already: pass `data` and `device` to `open_run`")
    return run


def evaluate(
    run: str | Path | TrainedRun, *, data: str | None = None, device: str = "auto"
) -> Evaluation:
    """Measure the best weights of a run on the test images. Raises UsageError like `open_run`.

    >>> import dagdsl
    >>> result = dagdsl.evaluate("runs/quickstart")
    >>> result.test_samples, 0 <= result.open_edge_rate["s1"] <= 1
    (359, True)
    """
    from dagdsl.training.evaluate import result_of

    opened = _opened(run, data, device)
    return result_of(opened.model, opened.net, opened.data.test, opened.batch_size, opened.device)


def image_routes(
    run: str | Path | TrainedRun,
    count: int = 2,
    *,
    among: int = 200,
    data: str | None = None,
    device: str = "auto",
) -> list[ImageRoutes]:
    """Find test images that take different routes, and return their open edges.

    Starts with the first test image and then adds, `count` times in all, the image whose routes
    differ most from those chosen, out of the first `among`. Raises UsageError like `open_run`.

    >>> import dagdsl
    >>> first, other = dagdsl.image_routes("runs/quickstart", count=2)
    >>> first.index, list(first.edges)
    (0, ['s1', 's2', 's3'])
    """
    from dagdsl.training.evaluate import most_different, predict_routes

    if count < 1:
        return []
    opened = _opened(run, data, device)
    looked_at = range(min(among, len(opened.data.test)))
    return most_different(predict_routes(opened, looked_at), count)


@overload
def profile(
    run: str | Path | TrainedRun, *, data: str | None = None, device: str = "auto"
) -> Profile: ...
@overload
def profile(run: Model, batches: Iterable[Tensor | tuple[Tensor, ...]]) -> Profile: ...
def profile(
    run: str | Path | TrainedRun | Model,
    batches: Iterable[Tensor | tuple[Tensor, ...]] | None = None,
    *,
    data: str | None = None,
    device: str = "auto",
) -> Profile:
    """Measure how often each edge is open and each region needed.

    For a run, on its validation images; for a model, on `batches` of inputs `[B, *shape]`. The
    profile tells `compile(mode="auto")` and `build(mode="auto")` what is worth skipping, and
    `mode="static"` what can be left out.

    Raises UsageError like `open_run`, and if there are no samples.

    >>> import dagdsl, torch
    >>> profile = dagdsl.profile("runs/quickstart")
    >>> all(0 <= share <= 1 for share in profile.edges.values())
    True
    >>> model = dagdsl.compile(dagdsl.load("examples/quickstart.dg"), backend="eager")
    >>> dagdsl.profile(model, [torch.randn(4, 1, 8, 8)]).samples
    4
    """
    from dagdsl.data import to_device
    from dagdsl_compiler import driver

    if isinstance(run, driver.Model):
        if batches is None:
            raise UsageError("a model is profiled on batches of inputs: pass `batches`")
        return driver.profile(run, batches)
    opened = _opened(run, data, device)
    validation = opened.data.validation.ordered(opened.batch_size)
    return driver.profile(
        opened.model, (to_device(batch, opened.device)[0] for batch in validation)
    )


@dataclass(frozen=True, slots=True)
class BenchReport:
    """The times that `bench` measured, a row for each execution mode and batch size.

    `machine` describes the computer. `noise_warning` says why the times may be wrong; it is None if
    the machine was quiet.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg", width=8, depth=2)
    >>> report = dagdsl.bench(net, modes=["static"], batches=[1], shares=[0.5], backend="eager",
    ...     rounds=5)
    >>> report.rows[0].milliseconds.median > 0
    True
    """

    machine: Machine
    rows: tuple[BenchRow, ...]
    noise_warning: str | None


def bench(
    net: Net,
    *,
    modes: Sequence[str] = (),
    batches: Sequence[int] = (1, 8, 32),
    shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
    against: str | None = None,
    train: bool = False,
    backend: str = "inductor",
    rounds: int = 20,
    on_status: Callable[[str], None] = lambda message: None,
    on_row: Callable[[BenchRow], None] = lambda row: None,
) -> BenchReport:
    """Measure the time of a network in several execution modes, in turns in one process.

    The weights are made up: for each of `shares`, routes differ between samples, and the samples
    need about that share of the multiply-adds.

    Args:
        net: The network.
        modes: Modes to compare, the first being the reference; also `eager`, which is `dense`
            without compilation. Empty for the modes that suit the network.
        batches: Batch sizes.
        shares: Active shares of the multiply-adds, 0 to 1.
        against: A rival `torchvision:NAME` to measure too, as the reference.
        train: Whether to measure a training step instead of inference.
        backend: See `compile`.
        rounds: Number of measurements of each.
        on_status: Called with a message before each step.
        on_row: Called with each row when it is measured.

    Raises UsageError if this cannot be measured.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg", width=8, depth=2)
    >>> report = dagdsl.bench(net, modes=["static", "grouped"], batches=[4], shares=[0.5],
    ...     backend="eager", rounds=5)
    >>> [(row.name, row.batch, row.reference) for row in report.rows]
    [('static', 4, 'static'), ('grouped', 4, 'static')]
    """
    from dagdsl.benchmark import measure
    from dagdsl.benchmark.machine import describe
    from dagdsl.benchmark.plan import BenchPlan, noise_warning_for

    plan = BenchPlan(
        modes=tuple(modes),
        batches=tuple(batches),
        shares=tuple(shares),
        against=against,
        train=train,
        backend=backend,
        rounds=rounds,
    )
    rows = []
    for row in measure.bench(net, plan, on_status):
        rows.append(row)
        on_row(row)
    return BenchReport(describe(), tuple(rows), noise_warning_for(rows))
