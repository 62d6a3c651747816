"""`dagdsl bench`: the time of a network in each execution mode, and of one of torchvision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dagdsl.cli.console import Format, FormatOption, NetFile, NetName, Sets
from dagdsl.errors import UsageError

if TYPE_CHECKING:
    from rich.status import Status

    from dagdsl.benchmark.plan import BenchRow

_Number = TypeVar("_Number", int, float)


def run(
    file: NetFile,
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    mode: Annotated[
        str | None,
        typer.Option(
            help="Modes to compare, such as `static,grouped`; `eager` is `dense` without "
            "compilation. The first is the reference.",
            show_default="those that suit the network",
        ),
    ] = None,
    batch: Annotated[str, typer.Option(help="Batch sizes.")] = "1,8,32",
    active: Annotated[
        str, typer.Option(help="Shares of the multiply-adds that the samples need.")
    ] = "0.25,0.5,0.75,1.0",
    against: Annotated[
        str | None, typer.Option(help="Also measure `torchvision:NAME`, as the reference.")
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Measure a training step instead of inference.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=5, help="Number of measurements of each.")] = 20,
    backend: Annotated[
        str, typer.Option(help="`inductor` generates code, `eager` runs the graph with PyTorch.")
    ] = "inductor",
    format: FormatOption = Format.human,
) -> None:
    """Measure the time of a network in several modes, in turns: medians, spread and ratios.

    The weights are made up: for each active share, routes differ between samples, and the samples
    need about that share of the multiply-adds. The measured share is printed beside each time.
    """
    from dagdsl.benchmark.machine import describe, prepare

    prepare()
    from dataclasses import asdict

    import dagdsl
    from dagdsl.cli.console import load_net, print_json

    built = load_net(file, set, net)
    modes = _items(mode)
    batches = _numbers("--batch", batch, int)
    shares = _numbers("--active", active, float)
    quiet = format is Format.json
    if not quiet:
        print(f"{built.name}: {describe()}")
        print(_HEADER + "   peak memory" * train)
    progress = _Progress(quiet)

    def print_row(row: BenchRow) -> None:
        progress.clear()
        if not quiet:
            print(_line(row), flush=True)

    try:
        report = dagdsl.bench(
            built,
            modes=modes,
            batches=batches,
            shares=shares,
            against=against,
            train=train,
            backend=backend,
            rounds=rounds,
            on_status=progress.show,
            on_row=print_row,
        )
    finally:
        progress.clear()
    if quiet:
        print_json(
            {
                "name": built.name,
                "ir_hash": built.hash,
                "settings": built.settings,
                "train": train,
                "machine": asdict(report.machine),
                "rows": [asdict(row) for row in report.rows],
                "doubts": report.noise_warning,
            }
        )
        return
    print(f"ratios are relative to {report.rows[0].reference}")
    if report.noise_warning:
        print(report.noise_warning)


class _Progress:
    """Status messages on stderr: one live line on a terminal, a line per message in a pipe."""

    def __init__(self, quiet: bool) -> None:
        from dagdsl.cli.console import console

        self._console, self._quiet = console(stderr=True), quiet
        self._status: Status | None = None

    def show(self, message: str) -> None:
        if self._quiet:
            return
        if not self._console.is_terminal:
            print(f"{message} ...", file=sys.stderr, flush=True)
        elif self._status is None:
            self._status = self._console.status(message)
            self._status.start()
        else:
            self._status.update(message)

    def clear(self) -> None:
        """Remove the live line, which would capture output to stdout."""
        if self._status is not None:
            self._status.stop()
            self._status = None


_HEADER = (
    f"{'batch':>5}  {'active':>6}  {'':<24} {'ms':>9}  {'spread':>6}  {'ratio':>5}  {'spread':>6}"
)


def _line(row: BenchRow) -> str:
    time, ratio = row.milliseconds, row.ratio
    memory = "" if row.peak_bytes is None else f"  {row.peak_bytes / 2**20:>8,.0f} MiB"
    return (
        f"{row.batch:>5}  {row.active:>6.0%}  {row.name:<24} {time.median:>9.2f}"
        f"  {time.spread:>6.1%}  {ratio.median:>5.2f}  {ratio.spread:>6.1%}{memory}"
    )


def _numbers(option: str, text: str, kind: type[_Number]) -> tuple[_Number, ...]:
    try:
        return tuple(kind(item) for item in _items(text))
    except ValueError:
        raise UsageError(f"{option} takes numbers separated by commas, not `{text}`") from None


def _items(text: str | None) -> tuple[str, ...]:
    return tuple(item.strip() for item in (text or "").split(",") if item.strip())
