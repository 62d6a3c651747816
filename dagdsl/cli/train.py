"""`dagdsl train`: train a net on real data, with progress, checkpoints and a summary."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import Format, NetName, Sets


def run(
    file: Annotated[Path, typer.Argument(help="The `.dg` file, or an `ir.json`.")],
    data: Annotated[str, typer.Option(help="`digits`, `fashion-mnist` or `folder:PATH`.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder of the run; `runs/NAME` if left out."),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 64,
    lr: Annotated[
        float | None, typer.Option(help="Highest learning rate; 0.002 (adamw) or 0.1 (sgd).")
    ] = None,
    optimizer: Annotated[str, typer.Option(help="`adamw` or `sgd`.")] = "adamw",
    weight_decay: Annotated[float, typer.Option(help="Not on norms and biases.")] = 0.01,
    label_smoothing: Annotated[float, typer.Option(help="Share of wrong labels.")] = 0.05,
    warmup: Annotated[float, typer.Option(help="Share of steps in which lr rises.")] = 0.1,
    augment: Annotated[bool, typer.Option(help="Vary the training images.")] = True,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in the folder.")
    ] = False,
    device: Annotated[str, typer.Option(help="`cpu`, `cuda` or `auto`.")] = "auto",
    amp: Annotated[bool, typer.Option("--amp", help="Train in bfloat16.")] = False,
    checkpoint_stages: Annotated[
        str,
        typer.Option(
            metavar="STAGES",
            help="`all`, or names as `s1,s2`: computed twice instead of kept in memory.",
        ),
    ] = "",
    channels_last: Annotated[
        bool, typer.Option("--channels-last", help="Keep the channels of a pixel together.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes that decode image files.")] = 0,
    compile: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Generate code; pays in long runs.")
    ] = False,
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Train a net. Stopped at any moment, it goes on with `--resume` as if it never had been."""
    from dagdsl.allocator import keep_freed_memory
    from dagdsl.cli.console import load_net, print_json
    from dagdsl.cli.progress import make_observer
    from dagdsl.cli.results import show_result
    from dagdsl.training.config import TrainConfig
    from dagdsl.training.loop import train

    keep_freed_memory()
    built = load_net(file, set, net)
    folder = out or Path("runs") / file.stem
    config = TrainConfig.of(
        {
            "data": data,
            "epochs": epochs,
            "batch_size": batch_size,
            "lr": lr,
            "optimizer": optimizer,
            "weight_decay": weight_decay,
            "label_smoothing": label_smoothing,
            "warmup": warmup,
            "augment": augment,
            "seed": seed,
            "device": device,
            "amp": amp,
            "checkpoint_stages": _stages(checkpoint_stages),
            "channels_last": channels_last,
            "workers": workers,
            "backend": "inductor" if compile else "eager",
        }
    )
    try:
        with make_observer(format) as observer:
            summary = train(built, config, folder, resume=resume, observer=observer)
    except KeyboardInterrupt:
        typer.echo(f"{folder} is kept as of the last epoch: go on with --resume", err=True)
        raise
    if format is Format.json:
        print_json(summary.model_dump())
        return
    show_result(summary)
    print(
        f"{folder}: weights of epoch {summary.best_epoch} (best on validation), "
        f"{summary.seconds:.0f} s of training"
    )


def _stages(text: str) -> str | list[str]:
    return "all" if text == "all" else [name for name in text.split(",") if name]
