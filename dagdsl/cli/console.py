"""What several commands share: how results are shown, and how params are set."""

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
    """How a command answers: for people, or for programs."""

    human = "human"
    json = "json"


Sets = Annotated[
    list[str], typer.Option("--set", help="Set a param: `--set width=0.5`.", metavar="NAME=VALUE")
]
NetName = Annotated[str | None, typer.Option("--net", help="Which net, if the file has several.")]


def console(stderr: bool = False) -> Console:
    """A console that never wraps what is piped into a file."""
    from rich.console import Console

    plain = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=100 if plain else None)


def show_diagnostics(diagnostics: list[Diagnostic], stderr: bool = False) -> None:
    """Diagnostics with their source lines."""
    if not diagnostics:
        return  # rich takes longer to import than a file to check
    from dagdsl.diagnostics.render import render

    render(diagnostics, console(stderr))


def print_json(value: Any) -> None:
    """One JSON value on stdout."""
    print(json.dumps(value, indent=2))


def parse_sets(assignments: Iterable[str]) -> dict[str, str]:
    """`name=value` strings as a dict. Raises UsageError on anything else, or on a name twice."""
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
    """The net of a file with params set; its warnings go to stderr.

    Raises InvalidSource and UsageError like `dagdsl.frontend.load`.
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
    """Shows on a terminal that something is going on; says it once in a pipe."""
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
