"""`dagdsl explain`: what the code of a diagnostic means, with a wrong and a right example."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    code: Annotated[
        str | None, typer.Argument(help="A code such as `DG0301`; without it, list all codes.")
    ] = None,
) -> None:
    """Explain the code of a diagnostic."""
    if code is None:
        from dagdsl.diagnostics.codes import CODES

        for known, title in CODES.items():
            print(f"{known}  {title}")
        return
    import dagdsl

    found = dagdsl.explain(code)
    print(f"{found.code}: {found.title}\n\n{found.meaning}")
    for title, example in (("wrong", found.wrong), ("right", found.right)):
        print(f"\n{title}:\n")
        print("\n".join(f"    {line}".rstrip() for line in example.splitlines()))
