"""`dagdsl explain`: what a diagnostic's code means, with a wrong and a right example."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    code: Annotated[
        str | None, typer.Argument(help="Such as `DG0301`; all are listed if it is left out.")
    ] = None,
) -> None:
    """Explain the code of a diagnostic."""
    from dagdsl.diagnostics.codes import CODES
    from dagdsl.diagnostics.explain import explain
    from dagdsl.diagnostics.sink import did_you_mean
    from dagdsl.errors import UsageError

    if code is None:
        for known, title in CODES.items():
            print(f"{known}  {title}")
        return
    wanted = code.upper()
    if wanted not in CODES:
        close = did_you_mean(wanted, CODES) or "`dagdsl explain` lists them all"
        raise UsageError(f"there is no code {code}: {close}")
    found = explain(wanted)
    print(f"{found.code}: {found.title}\n\n{found.meaning}")
    for title, example in (("wrong", found.wrong), ("right", found.right)):
        print(f"\n{title}:\n")
        print("\n".join(f"    {line}".rstrip() for line in example.splitlines()))
