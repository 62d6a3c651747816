"""`dagdsl profile`: how often the edges of a trained network are open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import DataOfRun, Device, RunFolder


def run(
    folder: RunFolder,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Output file.", show_default="FOLDER/profile.json"),
    ] = None,
    data: DataOfRun = None,
    device: Device = "auto",
) -> None:
    """Measure on a run's validation images how often each edge is open.

    `dagdsl build NET --mode auto --profile FILE` uses the result to decide what to skip.
    """
    import dagdsl
    from dagdsl.files import write_atomic

    path = output or folder / "profile.json"
    write_atomic(path, dagdsl.profile(folder, data=data, device=device).to_json())
    print(f"wrote {path}")
