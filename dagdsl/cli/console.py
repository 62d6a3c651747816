"""Options and output that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagdsl.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from dagdsl.diagnostics.model import Diagnostic
    from dagdsl.ir.nodes import Net


class Format(StrEnum):
    """The output format of a command: for people or for programs."""

    human = "human"
    json = "json"


NetFile = Annotated[Path, typer.Argument(help="A `.dg` file or an `ir.json`.")]
NetName = Annotated[
    str | None, typer.Option("--net", help="Name of the net, if the file has several.")
]
Sets = Annotated[
    list[str],
    typer.Option("--set", help="Set a param, such as `--set width=0.5`.", metavar="NAME=VALUE"),
]
FormatOption = Annotated[Format, typer.Option(help="Output format.")]
RunFolder = Annotated[Path, typer.Argument(help="A run folder.")]
DataOfRun = Annotated[
    str | None,
    typer.Option(
        help="Data set with the same classes as that of the training.",
        show_default="that of the training",
    ),
]
Device = Annotated[
    str, typer.Option(help="Device: `cpu`, `cuda`, or `auto` for an accelerator if there is one.")
]


def console(stderr: bool = False) -> Console:
    """A console that does not wrap lines in a pipe or file."""
    from rich.console import Console

    plain = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=100 if plain else None)


def show_diagnostics(diagnostics: list[Diagnostic], stderr: bool = False) -> None:
    """Print diagnostics with their source lines."""
    if not diagnostics:
        return  # importing rich takes longer than checking a file
    from dagdsl.diagnostics.render import render

    render(diagnostics, console(stderr))


def print_json(value: Any) -> None:
    """Print a JSON value on stdout."""
    print(json.dumps(value, indent=2))


def parse_sets(assignments: Iterable[str]) -> dict[str, str]:
    """Parse `name=value` strings. Raises UsageError for anything else and for repeated names."""
    settings: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"--set takes name=value, not `{assignment}`")
        if name in settings:
            raise UsageError(f"`{name}` is set twice")
        settings[name] = value.strip()
    return settings


def load_net(file: Path, sets: Iterable[str], net: str | None = None) -> Net:
    """Load a network with params set, and print its warnings on stderr.

    Raises InvalidSource and UsageError like `dagdsl.load`.
    """
    from dagdsl.frontend import analyse_file, load, only_net

    settings = parse_sets(sets)
    if file.suffix == ".json":
        return load(file, net=net, **settings)
    analysis = analyse_file(file, settings, net)
    built = only_net(analysis, str(file), net)
    show_diagnostics(analysis.diagnostics, stderr=True)
    return built


@contextmanager
def status(message: str, quiet: bool = False) -> Iterator[None]:
    """Show a spinner with a message on a terminal; print the message once elsewhere."""
    if quiet:
        yield
        return
    err = console(stderr=True)
    if err.is_terminal:
        with err.status(message):
            yield
    else:
        print(f"{message} ...", file=sys.stderr, flush=True)
        yield
