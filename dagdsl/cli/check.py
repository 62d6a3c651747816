"""`dagdsl check`: everything that can be said about a file without a tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.checking import CheckFormat, check, mend


def run(
    files: Annotated[list[Path], typer.Argument(help="The `.dg` files.", show_default=False)],
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what has one right answer, then check again.")
    ] = False,
    format: Annotated[
        CheckFormat,
        typer.Option(help="How to answer; `concise` and `github` have a line a finding."),
    ] = CheckFormat.human,
) -> None:
    """Check `.dg` files: syntax, names, shapes, wiring, routers."""
    if fix:
        for file in files:
            mend(file)
    if code := check(files, format):
        raise typer.Exit(code)
