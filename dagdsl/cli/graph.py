"""`dagdsl graph`: a drawing of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import NetFile, NetName, Sets


def run(
    file: NetFile,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Output file: `.svg`, `.dot` or `.mmd` (Mermaid)."),
    ],
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    block: Annotated[
        str | None, typer.Option(help="Draw the body of this block instead of the network.")
    ] = None,
) -> None:
    """Draw a network: stages as boxes, static edges solid, gated edges dashed."""
    import dagdsl
    from dagdsl.cli.console import load_net
    from dagdsl.errors import UsageError
    from dagdsl.files import write_atomic

    if not output.suffix:
        raise UsageError(f"{output} has no suffix: end it in `.svg`, `.dot` or `.mmd`")
    format = output.suffix.lower().removeprefix(".")
    write_atomic(output, dagdsl.graph(load_net(file, set, net), format, block=block))
    print(f"wrote {output}")
