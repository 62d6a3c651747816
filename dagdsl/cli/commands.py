"""The subcommands of `dagdsl`, each in a module of its own, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Final

import typer

MODULES: Final = {
    "check": "check",
    "fmt": "fmt",
    "show": "show",
    "diff": "diff",
    "build": "build",
    "graph": "graph",
    "dynamize": "dynamize",
    "train": "train",
    "eval": "evaluate",
    "profile": "profile",
    "run": "run",
    "bench": "bench",
    "explain": "explain",
    "lsp": "lsp",
}
"""Name of a command -> its module; in the order in which `--help` lists them."""
_TAKE_NOTHING: Final = ("explain", "lsp")
"""They do something without arguments; the others show their help."""


def app_for(arguments: list[str]) -> typer.Typer:
    """What can run this command line: the one command it names, or all to choose from."""
    app = typer.Typer(
        name="dagdsl",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    app.callback()(options)
    for name in arguments[:1] if arguments and arguments[0] in MODULES else MODULES:
        module = import_module(f"dagdsl.cli.{MODULES[name]}")
        app.command(name, no_args_is_help=name not in _TAKE_NOTHING)(module.run)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from dagdsl import __version__

        typer.echo(f"dagdsl {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Neural networks whose wiring depends on the input: check, build, draw and train them."""
