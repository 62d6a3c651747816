"""`dagdsl fmt`: format `.dg` files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dagdsl.source import SourceFile


def run(
    files: Annotated[
        list[Path], typer.Argument(help="The `.dg` files; `-` is stdin.", show_default=False)
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file would change.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Write nothing; print what would change.")
    ] = False,
) -> None:
    """Format `.dg` files in their canonical form; comments are kept.

    A file with syntax errors is left unchanged. The formatted text is parsed and compared with the
    original before it is written.
    """
    import dagdsl
    from dagdsl.cli.console import show_diagnostics
    from dagdsl.diagnostics.model import InvalidSource
    from dagdsl.files import write_atomic

    changed = broken = 0
    for file in files:
        try:
            source = _read(file)
            text = dagdsl.fmt(source.text, name=source.name)
        except InvalidSource as error:
            show_diagnostics(error.diagnostics, stderr=True)
            broken += 1
            continue
        differs = text != source.text
        changed += differs
        if diff:
            sys.stdout.writelines(_diff(source, text))
        elif check:
            if differs:
                print(f"{source.name} is not formatted")
        elif str(file) == "-":
            sys.stdout.write(text)
        elif differs:
            write_atomic(file, text)
            print(f"formatted {file}")
    if broken or (check and changed):
        raise typer.Exit(1)


def _read(file: Path) -> SourceFile:
    """The text of a file, or of stdin for `-`. Raises InvalidSource if it cannot be read."""
    from dagdsl.diagnostics.model import InvalidSource
    from dagdsl.diagnostics.sink import Sink
    from dagdsl.syntax.reader import read, read_stream

    sink = Sink()
    is_stdin = str(file) == "-"
    source = read_stream(sys.stdin.buffer, "<stdin>", sink) if is_stdin else read(file, sink)
    if source is None:
        raise InvalidSource(sink.sorted())
    return source


def _diff(source: SourceFile, text: str) -> Iterator[str]:
    before, after = (list(StringIO(one, newline="\n")) for one in (source.text, text))
    for line in unified_diff(before, after, source.name, f"{source.name} (formatted)"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
