"""`dagdsl train`: train a network on real data, with progress, checkpoints and a summary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from dagdsl.cli.console import Format, FormatOption, NetFile, NetName, Sets


def run(
    file: NetFile,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Run folder.", show_default="runs/NAME"),
    ] = None,
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in the run folder.")
    ] = False,
    format: FormatOption = Format.human,
    **options: Any,
) -> None:
    """Train a network. An interrupted run continues with `--resume` and ends in the same result."""
    import dagdsl
    from dagdsl.allocator import keep_freed_memory
    from dagdsl.cli.console import load_net, print_json
    from dagdsl.cli.progress import make_observer
    from dagdsl.cli.results import show_result

    keep_freed_memory()
    built = load_net(file, set, net)
    folder = out or Path("runs") / file.stem
    try:
        with make_observer(format) as observer:
            summary = dagdsl.train(built, out=folder, resume=resume, observer=observer, **options)
    except KeyboardInterrupt:
        typer.echo(f"{folder} holds the run up to its last epoch: continue with --resume", err=True)
        raise
    if format is Format.json:
        print_json(summary.model_dump())
        return
    show_result(summary)
    print(
        f"{folder}: weights of epoch {summary.best_epoch} (best on validation), "
        f"{summary.seconds:.0f} s of training"
    )


def command() -> Callable[..., None]:
    """`run` with an option for each field of `TrainConfig`."""
    from dagdsl.cli.options import with_options
    from dagdsl.training.config import TrainConfig

    return with_options(run, TrainConfig)
