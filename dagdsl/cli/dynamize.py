"""`dagdsl dynamize`: a static net as its DG version, in text."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import NetName


class EntryKind(StrEnum):
    """What brings a stage's input to the stage's shape."""

    shrink = "shrink"
    first = "first"


def run(
    file: Annotated[Path, typer.Argument(help="The `.dg` file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to; stdout if left out.")
    ] = None,
    net: NetName = None,
    via: Annotated[
        str | None,
        typer.Option(help="The router of the edges, if not the method's: `learned |> sigmoid`."),
    ] = None,
    entry: Annotated[
        EntryKind,
        typer.Option(help="What leads into a stage: `dg.shrink`, or the first node of its chain."),
    ] = EntryKind.shrink,
    shortcuts: Annotated[
        bool, typer.Option("--shortcuts", help="Let the nodes keep their own shortcuts.")
    ] = False,
) -> None:
    """Turn chains of nodes into complete DAGs that a router weighs: a text to edit."""
    from dagdsl.diagnostics.model import InvalidSource
    from dagdsl.files import write_atomic
    from dagdsl.frontend import analyse
    from dagdsl.source import SourceFile
    from dagdsl.transform.dynamize import dynamize

    text = dynamize(file, net=net, via=via, entry=entry.value, shortcuts=shortcuts)
    if output is None:
        print(text, end="")
        return
    found = analyse(SourceFile(str(output), text))  # what it imports may not lie there
    if found.has_errors:
        raise InvalidSource(found.diagnostics)
    write_atomic(output, text)
    print(f"wrote {output}")
