"""`dagdsl show`: a net as the text of a `.dg` file again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import NetName, Sets


def run(
    file: Annotated[Path, typer.Argument(help="An `ir.json`, or a `.dg` file.")],
    set: Sets = [],  # noqa: B006
    net: NetName = None,
) -> None:
    """Print a net as a `.dg` file: with all params set, nothing imported, every number known.

    The text gives the same network, hash and all.
    """
    from dagdsl.cli.console import load_net
    from dagdsl.unparse.writer import text_of

    print(text_of(load_net(file, set, net)), end="")
