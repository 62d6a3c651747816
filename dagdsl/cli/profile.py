"""`dagdsl profile`: how often the edges of a trained net are open, for modes that skip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    folder: Annotated[Path, typer.Argument(help="The folder of a training run.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="`profile.json` in the run if left out.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Other data than the run was trained on, same classes.")
    ] = None,
    device: Annotated[str, typer.Option(help="`cpu`, `cuda` or `auto`.")] = "auto",
) -> None:
    """Measure on a run's validation images how often each edge is open.

    `dagdsl build NET --mode auto --profile FILE` decides by it what is worth skipping.
    """
    from dagdsl.data import to_device
    from dagdsl.files import write_atomic
    from dagdsl.training.evaluate import evaluation_batch, open_run
    from dagdsl_compiler.driver import Model, profile

    trained = open_run(folder, data=data, device=device)
    assert isinstance(trained.model, Model)
    batches = (
        to_device(batch, trained.device)[0]
        for batch in trained.data.validation.ordered(evaluation_batch(trained.config))
    )
    path = output or folder / "profile.json"
    write_atomic(path, profile(trained.model, batches).to_json())
    print(f"wrote {path}")
