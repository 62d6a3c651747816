"""`dagdsl graph`: a drawing of a net."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import NetName, Sets


def run(
    file: Annotated[Path, typer.Argument(help="The `.dg` file, or an `ir.json`.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to: `.svg`, `.dot` or `.mmd` (Mermaid).")
    ],
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    block: Annotated[
        str | None, typer.Option(help="Draw the body of this block instead of the net.")
    ] = None,
) -> None:
    """Draw a net: stages as boxes, static edges solid, gated edges dashed."""
    from dagdsl.cli.console import load_net
    from dagdsl.errors import UsageError
    from dagdsl.files import write_atomic
    from dagdsl.viz.detail import block_names, block_net
    from dagdsl.viz.formats import FORMATS, draw

    if output.suffix not in FORMATS:
        raise UsageError(f"a drawing ends in {', '.join(FORMATS)}, not `{output.suffix}`")
    drawn = load_net(file, set, net)
    if block is not None:
        known = block_names(drawn)
        if block not in known:
            there_is = "there is " + ", ".join(f"`{name}`" for name in known)
            raise UsageError(
                f"no block `{block}` with a body in {drawn.name}"
                + (f": {there_is}" if known else ": it has none at all")
            )
        drawn = block_net(drawn, block)
    write_atomic(output, draw(drawn, output.suffix))
    print(f"wrote {output}")
