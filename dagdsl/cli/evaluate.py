"""`dagdsl eval`: how a trained network performs on the test images."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dagdsl.cli.console import DataOfRun, Device, Format, FormatOption, RunFolder


def run(
    folder: RunFolder,
    data: DataOfRun = None,
    device: Device = "auto",
    routes: Annotated[
        int,
        typer.Option(min=0, help="Show the open edges of this many images with different routes."),
    ] = 0,
    format: FormatOption = Format.human,
) -> None:
    """Measure the best weights of a run on the test images."""
    import dagdsl
    from dagdsl.allocator import keep_freed_memory
    from dagdsl.cli.console import print_json
    from dagdsl.cli.results import show_result
    from dagdsl.cli.routes import show_routes

    keep_freed_memory()
    trained = dagdsl.open_run(folder, data=data, device=device)
    result = dagdsl.evaluate(trained)
    images = dagdsl.image_routes(trained, routes)
    if format is Format.json:
        print_json({**result.model_dump(), "routes": [asdict(image) for image in images]})
        return
    show_result(result)
    show_routes(images)
