"""`dagdsl eval`: what a trained net does on the test images."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import Format

LOOKED_AT = 200
"""Test images among which `--routes` chooses."""


def run(
    folder: Annotated[Path, typer.Argument(help="The folder of a training run.")],
    data: Annotated[
        str | None, typer.Option(help="Other data than the run was trained on, same classes.")
    ] = None,
    device: Annotated[str, typer.Option(help="`cpu`, `cuda` or `auto`.")] = "auto",
    routes: Annotated[
        int, typer.Option(min=0, help="Show the open edges of this many images that differ most.")
    ] = 0,
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Measure the best weights of a run on its test images."""
    from dagdsl.allocator import keep_freed_memory
    from dagdsl.cli.console import print_json
    from dagdsl.cli.results import show_result
    from dagdsl.cli.routes import most_different, show_routes
    from dagdsl.training.evaluate import evaluation_batch, open_run, predict_routes, result_of

    keep_freed_memory()
    trained = open_run(folder, data=data, device=device)
    result = result_of(
        trained.model,
        trained.net,
        trained.data.test,
        evaluation_batch(trained.config),
        trained.device,
    )
    looked_at = range(min(LOOKED_AT, result.test_samples)) if routes else range(0)
    images = most_different(predict_routes(trained, looked_at), routes)
    if format is Format.json:
        print_json({**result.model_dump(), "routes": [asdict(image) for image in images]})
        return
    show_result(result)
    show_routes(images)
