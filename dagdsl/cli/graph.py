"""`dagdsl graph`: a drawing of a net."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import NetName, Sets

NAME = "graph"


def run(
    file: Annotated[Path, typer.Argument(help="The `.dg` file, or an `ir.json`.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to: `.svg`, `.dot` or `.mmd` (Mermaid).")
    ],
    set: Sets = [],  # noqa: B006
    net: NetName = None,
) -> None:
    """Draw a net: stages as boxes, static edges solid, gated edges dashed."""
    from dagdsl.cli.console import load_net
    from dagdsl.errors import UsageError
    from dagdsl.files import write_atomic
    from dagdsl.viz.formats import FORMATS, draw

    if output.suffix not in FORMATS:
        raise UsageError(f"a drawing ends in {', '.join(FORMATS)}, not `{output.suffix}`")
    write_atomic(output, draw(load_net(file, set, net), output.suffix))
    print(f"wrote {output}")
