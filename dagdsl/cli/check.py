"""`dagdsl check`: everything that can be said about a file without a tensor."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dagdsl.diagnostics.model import Diagnostic

NAME = "check"
_ROUNDS = 10
"""How often a file is mended and checked again: one fix may bring another mistake to light."""


class CheckFormat(StrEnum):
    """How to answer: to people, or to one of many programs."""

    human = "human"
    concise = "concise"
    json = "json"
    sarif = "sarif"
    github = "github"


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
    from dagdsl.frontend import analyse_file

    if fix:
        for file in files:
            _mend(file)
    analyses = [analyse_file(file) for file in files]
    found = [diagnostic for analysis in analyses for diagnostic in analysis.diagnostics]
    _show(found, str(files[0]) if len(files) == 1 else f"{len(files)} files", format)
    if any(analysis.has_errors for analysis in analyses):
        raise typer.Exit(1)


def _show(found: list[Diagnostic], what: str, format: CheckFormat) -> None:
    from dagdsl.cli.console import print_json, show_diagnostics

    match format:
        case CheckFormat.json:
            from dagdsl.diagnostics.as_json import to_json

            print_json(to_json(found))
        case CheckFormat.sarif:
            from dagdsl import __version__
            from dagdsl.diagnostics.as_sarif import to_sarif

            print_json(to_sarif(found, __version__))
        case CheckFormat.github | CheckFormat.concise if found:
            from dagdsl.diagnostics import as_lines

            for diagnostic in found:
                print(getattr(as_lines, format.value)(diagnostic))
        case CheckFormat.human:
            show_diagnostics(found)
            print(f"{what}: {_summary(found)}")


def _summary(found: list[Diagnostic]) -> str:
    if not found:
        return "no problems"
    from dagdsl.diagnostics.render import summary

    fixable = sum(diagnostic.fix is not None for diagnostic in found)
    return summary(found) + (f" ({fixable} can be mended with `--fix`)" if fixable else "")


def _mend(file: Path) -> None:
    """Make the fixes in a file, as long as each round leaves fewer problems."""
    import sys

    from dagdsl.diagnostics.mend import fixes_of, mended
    from dagdsl.diagnostics.sink import Sink
    from dagdsl.files import write_atomic
    from dagdsl.frontend import analyse
    from dagdsl.syntax.reader import read

    source = read(file, Sink())
    if source is None:
        return
    done: list[str] = []
    before = analyse(source)
    for _ in range(_ROUNDS):
        fixes = fixes_of(before.diagnostics, source)
        after_source = mended(source, fixes)
        after = analyse(after_source)
        if not fixes or len(after.diagnostics) >= len(before.diagnostics):
            break
        for one in fixes:
            at = source.position(one.edits[0].span.start)
            done.append(f"{file}:{at.line}: {one.title}")
        source, before = after_source, after
    if done:
        write_atomic(file, source.text)
        print(*done, sep="\n", file=sys.stderr)
