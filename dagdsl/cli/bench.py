"""`dagdsl bench`: how fast a net is in each execution mode, and beside a net of torchvision."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dagdsl.cli.console import Format, NetName, Sets
from dagdsl.errors import UsageError

if TYPE_CHECKING:
    from rich.status import Status

    from dagdsl.benchmark.plan import BenchRow

_Number = TypeVar("_Number", int, float)


def run(
    file: Annotated[Path, typer.Argument(help="The `.dg` file, or an `ir.json`.")],
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    mode: Annotated[
        str | None,
        typer.Option(
            help="Modes to compare, as `static,grouped`; also `eager`: `dense`, not compiled. "
            "The first is the reference. Those that suit the net if left out."
        ),
    ] = None,
    batch: Annotated[str, typer.Option(help="Batch sizes.")] = "1,8,32",
    active: Annotated[
        str, typer.Option(help="Shares of the multiply-adds that samples shall need.")
    ] = "0.25,0.5,0.75,1.0",
    against: Annotated[
        str | None, typer.Option(help="Also measure `torchvision:NAME`; it is then the reference.")
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Time a step of training instead of inference.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=5, help="How often each takes its turn.")] = 20,
    backend: Annotated[
        str, typer.Option(help="`inductor` generates code, `eager` runs the graph as it is.")
    ] = "inductor",
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Measure how long a net takes, in turns in one process: medians, spread and ratios.

    Weights are made up: for each active share, such that routes differ between samples and these
    need about that share of the work. What was active is printed beside each time.
    """
    from dagdsl.benchmark.machine import describe, prepare

    prepare()
    from dataclasses import asdict

    from dagdsl.benchmark.measure import bench
    from dagdsl.benchmark.plan import BenchPlan, noise_warning_for
    from dagdsl.cli.console import load_net, print_json

    built = load_net(file, set, net)
    plan = BenchPlan(
        modes=_items(mode),
        batches=_numbers("--batch", batch, int),
        shares=_numbers("--active", active, float),
        against=against,
        train=train,
        backend=backend,
        rounds=rounds,
    )
    machine, quiet = describe(), format is Format.json
    progress = _Progress(quiet)
    if not quiet:
        print(f"{built.name}: {machine}")
        print(_HEADER + "   peak memory" * train)
    rows: list[BenchRow] = []
    try:
        for row in bench(built, plan, progress.say):
            progress.clear()
            rows.append(row)
            if not quiet:
                print(_line(row), flush=True)
    finally:
        progress.clear()
    doubts = noise_warning_for(rows)
    if quiet:
        print_json(
            {
                "name": built.name,
                "ir_hash": built.hash,
                "settings": built.settings,
                "train": train,
                "machine": asdict(machine),
                "rows": [asdict(row) for row in rows],
                "doubts": doubts,
            }
        )
        return
    print(f"ratios are to the time of {rows[0].reference}")
    if doubts:
        print(doubts)


class _Progress:
    """Says on stderr what is going on: one line that goes on a terminal, a line each in a pipe."""

    def __init__(self, quiet: bool) -> None:
        from dagdsl.cli.console import console

        self._console, self._quiet = console(stderr=True), quiet
        self._status: Status | None = None

    def say(self, message: str) -> None:
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
        """Make way for what is printed on stdout, which a live line would catch."""
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
        raise UsageError(f"{option} takes numbers with commas between them, not `{text}`") from None


def _items(text: str | None) -> tuple[str, ...]:
    return tuple(item.strip() for item in (text or "").split(",") if item.strip())
