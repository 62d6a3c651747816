"""The work of `dagdsl check`, apart from parsing its options: this module must not import typer."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from dagdsl.collector import gc_paused

if TYPE_CHECKING:
    from dagdsl.diagnostics.model import Diagnostic

_MAX_ROUNDS = 10
"""The maximum rounds of fixes for a file: each round may reveal further mistakes."""


class CheckFormat(StrEnum):
    """The output format: for people, or for one of several programs."""

    human = "human"
    concise = "concise"
    json = "json"
    sarif = "sarif"
    github = "github"


def check(files: Sequence[str | Path], format: CheckFormat = CheckFormat.human) -> int:
    """Check files, print the diagnostics, and return the exit code: 1 if there are errors."""
    with gc_paused():
        from dagdsl.api.language import check as check_file
        from dagdsl.diagnostics.model import Severity
    gc.freeze()  # imported modules live until the end
    found = [diagnostic for file in files for diagnostic in check_file(file)]
    _show(found, str(files[0]) if len(files) == 1 else f"{len(files)} files", format)
    return int(any(diagnostic.severity is Severity.ERROR for diagnostic in found))


def apply_fixes(file: Path) -> None:
    """Apply the fixes in a file, as long as each round leaves fewer diagnostics."""
    import sys

    from dagdsl.diagnostics import fixes
    from dagdsl.diagnostics.sink import Sink
    from dagdsl.files import write_atomic
    from dagdsl.frontend import analyse
    from dagdsl.syntax.reader import read

    source = read(file, Sink())
    if source is None:
        return
    done: list[str] = []
    before = analyse(source)
    for _ in range(_MAX_ROUNDS):
        applicable = fixes.applicable_fixes(before.diagnostics, source)
        after_source = fixes.apply_fixes(source, applicable)
        after = analyse(after_source)
        if not applicable or len(after.diagnostics) >= len(before.diagnostics):
            break
        for one in applicable:
            at = source.position(one.edits[0].span.start)
            done.append(f"{file}:{at.line}: {one.title}")
        source, before = after_source, after
    if done:
        write_atomic(file, source.text)
        print(*done, sep="\n", file=sys.stderr)


def _show(found: list[Diagnostic], what: str, format: CheckFormat) -> None:
    match format:
        case CheckFormat.json:
            from dagdsl.cli.console import print_json
            from dagdsl.diagnostics.as_json import to_json

            print_json(to_json(found))
        case CheckFormat.sarif:
            from dagdsl import __version__
            from dagdsl.cli.console import print_json
            from dagdsl.diagnostics.as_sarif import to_sarif

            print_json(to_sarif(found, __version__))
        case CheckFormat.github | CheckFormat.concise:
            from dagdsl.diagnostics import as_lines

            for diagnostic in found:
                print(getattr(as_lines, format.value)(diagnostic))
        case CheckFormat.human if found:
            from dagdsl.cli.console import show_diagnostics

            show_diagnostics(found)
            print(f"{what}: {_summary(found)}")
        case CheckFormat.human:
            print(f"{what}: no problems")


def _summary(found: list[Diagnostic]) -> str:
    from dagdsl.diagnostics.render import summary

    fixable = sum(diagnostic.fix is not None for diagnostic in found)
    return summary(found) + (f" ({fixable} can be fixed with `--fix`)" if fixable else "")
