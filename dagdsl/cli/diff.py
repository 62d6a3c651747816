"""`dagdsl diff`: how two networks differ, however they are written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import Format, FormatOption, NetName, Sets


def run(
    before: Annotated[Path, typer.Argument(help="A `.dg` file or an `ir.json`.")],
    after: Annotated[Path, typer.Argument(help="The file to compare it with.")],
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    format: FormatOption = Format.human,
) -> None:
    """Show how two networks differ: nodes, edges, gates, shapes, parameters, MACs.

    Differences in the text alone do not count. The exit code is 0 for the same network and 1
    otherwise. `--set` and `--net` apply to both files if they are `.dg` files.
    """
    import dagdsl
    from dagdsl.cli.console import load_net, print_json

    first, second = (
        load_net(file, [], None) if file.suffix == ".json" else load_net(file, set, net)
        for file in (before, after)
    )
    found = dagdsl.diff(first, second)
    if format is Format.json:
        costs = {name: {"before": old, "after": new} for name, (old, new) in found.costs.items()}
        print_json({"changes": [asdict(change) for change in found.changes], "costs": costs})
    else:
        print(found if found else f"the same network: {first.hash[:12]}")
    if found:
        raise typer.Exit(1)
