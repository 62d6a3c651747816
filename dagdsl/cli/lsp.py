"""`dagdsl lsp`: the language server."""

from __future__ import annotations

from dagdsl.errors import UsageError


def run() -> None:
    """Run the language server for editors, on stdin and stdout."""
    try:
        from dagdsl.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise UsageError("the language server needs pygls: pip install 'dagdsl[lsp]'") from error
    serve()
