"""`dagdsl check`: check `.dg` files without computing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.checking import CheckFormat, apply_fixes, check


def run(
    files: Annotated[list[Path], typer.Argument(help="The `.dg` files.", show_default=False)],
    fix: Annotated[
        bool, typer.Option("--fix", help="Apply the fixes that are certain, then check again.")
    ] = False,
    format: Annotated[
        CheckFormat,
        typer.Option(help="Output format; `concise` and `github` print one line per diagnostic."),
    ] = CheckFormat.human,
) -> None:
    """Check `.dg` files: syntax, names, shapes, wiring, routers."""
    if fix:
        for file in files:
            apply_fixes(file)
    if code := check(files, format):
        raise typer.Exit(code)
