"""`dagdsl fmt`: `.dg` files in their canonical form."""

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
        bool, typer.Option("--diff", help="Write nothing; show what would change.")
    ] = False,
) -> None:
    """Format `.dg` files: one canonical form, comments kept.

    A file with a syntax error is left as it is. What is formatted was read back before it is
    written: the same tree, the same comments.
    """
    from dagdsl.cli.console import show_diagnostics
    from dagdsl.diagnostics.sink import Sink
    from dagdsl.files import write_atomic
    from dagdsl.syntax.formatter import format_text
    from dagdsl.syntax.reader import read, read_stream

    changed = broken = 0
    for file in files:
        sink = Sink()
        is_stdin = str(file) == "-"
        source = read_stream(sys.stdin.buffer, "<stdin>", sink) if is_stdin else read(file, sink)
        text = None if source is None else format_text(source, sink)
        if source is None or text is None:
            show_diagnostics(sink.sorted(), stderr=True)
            broken += 1
            continue
        differs = text != source.text
        changed += differs
        if diff:
            sys.stdout.writelines(_diff(source, text))
        elif check:
            if differs:
                print(f"{source.name} is not formatted")
        elif is_stdin:
            sys.stdout.write(text)
        elif differs:
            write_atomic(file, text)
            print(f"formatted {file}")
    if broken or (check and changed):
        raise typer.Exit(1)


def _diff(source: SourceFile, text: str) -> Iterator[str]:
    before, after = (list(StringIO(one, newline="\n")) for one in (source.text, text))
    for line in unified_diff(before, after, source.name, f"{source.name} (formatted)"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
