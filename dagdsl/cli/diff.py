"""`dagdsl diff`: what differs between two networks, however they are written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import Format, NetName, Sets

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def run(
    before: Annotated[Path, typer.Argument(help="A `.dg` file, or an `ir.json`.")],
    after: Annotated[Path, typer.Argument(help="Another one.")],
    set: Sets = [],  # noqa: B006
    net: NetName = None,
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Say what differs between two nets: nodes, edges, gates, shapes, parameters, MACs.

    What is only written in another way is no difference. Exit code 0 if they are the same
    network, 1 if not. `--set` and `--net` hold for both, where they are `.dg` files.
    """
    from dagdsl.analysis.changes import changes, costs
    from dagdsl.cli.console import load_net, print_json

    first, second = (
        load_net(
            file, [] if file.suffix == ".json" else set, None if file.suffix == ".json" else net
        )
        for file in (before, after)
    )
    found, cost = changes(first, second), costs(first, second)
    if format is Format.json:
        both = {name: {"before": old, "after": new} for name, (old, new) in cost.items()}
        print_json({"changes": [asdict(change) for change in found], "costs": both})
    else:
        for change in found:
            details = f": {'; '.join(change.details)}" if change.details else ""
            print(f"{_SIGNS[change.kind]} {change.what}{details}")
        for name, (old, new) in cost.items():
            percent = f" ({(new - old) / old:+.1%})" if old else ""
            print(f"  {name.replace('_', ' ')} {old:,} -> {new:,}{percent}")
        if not found:
            print(f"the same network: {first.hash[:12]}")
    if found:
        raise typer.Exit(1)
