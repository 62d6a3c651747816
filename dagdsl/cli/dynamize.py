"""`dagdsl dynamize`: the text of a static network -> the text of its dynamic version."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import NetName


class EntryKind(StrEnum):
    """The entry of a stage, which maps the stage's input to the shape of its nodes."""

    shrink = "shrink"
    first = "first"


def run(
    file: Annotated[Path, typer.Argument(help="A `.dg` file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Output file.", show_default="stdout")
    ] = None,
    net: NetName = None,
    via: Annotated[
        str | None,
        typer.Option(
            help="Router of the edges, such as `learned |> sigmoid`.",
            show_default="that of the method",
        ),
    ] = None,
    entry: Annotated[
        EntryKind,
        typer.Option(help="Entry of a stage: `dg.shrink`, or the first node of its chain."),
    ] = EntryKind.shrink,
    shortcuts: Annotated[
        bool, typer.Option("--shortcuts", help="Keep the nodes' own shortcuts.")
    ] = False,
) -> None:
    """Turn chains of nodes into complete DAGs weighted by a router, as text to edit."""
    import dagdsl
    from dagdsl.diagnostics.model import InvalidSource
    from dagdsl.files import write_atomic
    from dagdsl.frontend import analyse
    from dagdsl.source import SourceFile

    text = dagdsl.dynamize(file, net=net, via=via, entry=entry.value, shortcuts=shortcuts)
    if output is None:
        print(text, end="")
        return
    found = analyse(SourceFile(str(output), text))  # its relative imports may not exist there
    if found.has_errors:
        raise InvalidSource(found.diagnostics)
    write_atomic(output, text)
    print(f"wrote {output}")
