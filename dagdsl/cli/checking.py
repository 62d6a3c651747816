"""What `dagdsl check` does, without reading its options: it must not import typer."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from dagdsl.collector import gc_paused

if TYPE_CHECKING:
    from dagdsl.diagnostics.model import Diagnostic

_ROUNDS = 10
"""How often a file is mended and checked again: one fix may bring another mistake to light."""


class CheckFormat(StrEnum):
    """How to answer: to people, or to one of many programs."""

    human = "human"
    concise = "concise"
    json = "json"
    sarif = "sarif"
    github = "github"


def check(files: Sequence[str | Path], format: CheckFormat = CheckFormat.human) -> int:
    """Say what is wrong with files; gives the exit code."""
    with gc_paused():
        from dagdsl.frontend import analyse_file
    gc.freeze()  # what was imported stays to the end
    analyses = [analyse_file(Path(file)) for file in files]
    found = [diagnostic for analysis in analyses for diagnostic in analysis.diagnostics]
    _show(found, str(files[0]) if len(files) == 1 else f"{len(files)} files", format)
    return int(any(analysis.has_errors for analysis in analyses))


def mend(file: Path) -> None:
    """Make the fixes in a file, as long as each round leaves fewer problems."""
    import sys

    from dagdsl.diagnostics.fixes import applicable_fixes, apply_fixes
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
        fixes = applicable_fixes(before.diagnostics, source)
        after_source = apply_fixes(source, fixes)
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
    return summary(found) + (f" ({fixable} can be mended with `--fix`)" if fixable else "")
