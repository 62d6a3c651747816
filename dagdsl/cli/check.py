"""`dagdsl check`: everything that can be said about a file without a tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import Format

NAME = "check"


def run(
    files: Annotated[list[Path], typer.Argument(help="The `.dg` files.", show_default=False)],
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Check `.dg` files: syntax, names, shapes, wiring, routers."""
    from dagdsl.cli.console import print_json, show_diagnostics
    from dagdsl.diagnostics.as_json import to_json
    from dagdsl.frontend import analyse_file

    analyses = [analyse_file(file) for file in files]
    found = [diagnostic for analysis in analyses for diagnostic in analysis.diagnostics]
    if format is Format.json:
        print_json(to_json(found))
    else:
        from dagdsl.diagnostics.render import summary

        show_diagnostics(found)
        what = str(files[0]) if len(files) == 1 else f"{len(files)} files"
        print(f"{what}: {summary(found) or 'no problems'}")
    if any(analysis.has_errors for analysis in analyses):
        raise typer.Exit(1)
