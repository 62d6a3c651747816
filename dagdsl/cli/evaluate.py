"""`dagdsl eval`: what a trained net does on the test images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import Format

NAME = "eval"


def run(
    folder: Annotated[Path, typer.Argument(help="The folder of a training run.")],
    data: Annotated[
        str | None, typer.Option(help="Other data than the run was trained on, same classes.")
    ] = None,
    device: Annotated[str, typer.Option(help="`cpu`, `cuda` or `auto`.")] = "auto",
    routes: Annotated[
        int, typer.Option(min=0, help="Also show the open edges of this many test images.")
    ] = 0,
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Measure the best weights of a run on its test images."""
    from dagdsl.cli.console import print_json
    from dagdsl.cli.results import show_result, show_routes
    from dagdsl.train.evaluate import evaluation_batch, open_run, predict_routes, result_of

    trained = open_run(folder, data=data, device=device)
    result = result_of(
        trained.model,
        trained.net,
        trained.data.test,
        evaluation_batch(trained.config),
        trained.device,
    )
    images = predict_routes(trained, range(min(routes, result.test_samples))) if routes else []
    if format is Format.json:
        print_json(result.model_dump())
        return
    show_result(result)
    show_routes(images)
