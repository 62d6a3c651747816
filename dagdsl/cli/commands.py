"""The subcommands of `dagdsl`, each in its own module, imported only when it is named."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, Final

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
"""The module of each command, in the order of `--help`."""
_RUN_WITHOUT_ARGUMENTS: Final = ("explain", "lsp")
"""Commands that need no arguments. The others show their help if they get none."""


def app_for(arguments: list[str]) -> typer.Typer:
    """The application for a command line: the one command it names, or an overview of all."""
    app = typer.Typer(
        name="dagdsl",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    app.callback()(options)
    named = arguments[:1] if arguments and arguments[0] in MODULES else []
    for name in named or MODULES:
        module = import_module(f"dagdsl.cli.{MODULES[name]}")
        no_args_is_help = name not in _RUN_WITHOUT_ARGUMENTS
        app.command(name, no_args_is_help=no_args_is_help)(
            _command(module) if named else _described(module.run)
        )
    return app


def _command(module: Any) -> Callable[..., None]:
    """The function of a module: its `run`, or the result of its `command()`."""
    make = getattr(module, "command", None)
    run: Callable[..., None] = module.run if make is None else make()
    return run


def _described(run: Callable[..., None]) -> Callable[[], None]:
    """A stand-in for a command that is only listed, so that its options need not be derived."""

    def listed() -> None:
        raise AssertionError("the overview runs no command")

    listed.__doc__ = run.__doc__
    return listed


def _version(wanted: bool) -> None:
    if wanted:
        from dagdsl import __version__

        typer.echo(f"dagdsl {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Check, draw, train and build neural networks whose wiring depends on the input."""
