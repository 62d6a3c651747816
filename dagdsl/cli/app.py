"""The `dagdsl` command: its subcommands, and what a failure looks like."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from dagdsl.cli import (
    build,
    check,
    diff,
    dynamize,
    evaluate,
    explain,
    fmt,
    graph,
    lsp,
    profile,
    show,
    train,
)

app = typer.Typer(
    name="dagdsl",
    help="Neural networks whose wiring depends on the input: check, build, draw and train them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for command in (check, fmt, show, diff, build, graph, dynamize, train, evaluate, profile):
    app.command(command.NAME, no_args_is_help=True)(command.run)
app.command(explain.NAME)(explain.run)  # lists all codes if none is given
app.command(lsp.NAME)(lsp.run)  # it takes nothing


def _version(wanted: bool) -> None:
    if wanted:
        from dagdsl import __version__

        typer.echo(f"dagdsl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Neural networks whose wiring depends on the input: check, build, draw and train them."""


def main() -> None:
    """Run the command line. Exit codes: 0 good, 1 errors in a file, 2 wrong usage, 3 our bug."""
    from dagdsl.cli.failures import report

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Names and comments may hold what the terminal's encoding does not.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=False)
    except BaseException as failure:
        code = report(failure)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone: nothing to say, and nothing to flush at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code if isinstance(code, int) else 0)
