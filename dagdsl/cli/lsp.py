"""`dagdsl lsp`: the language server."""

from __future__ import annotations

from dagdsl.errors import UsageError
from dagdsl.optional import missing_package


def run() -> None:
    """Run the language server for editors, on stdin and stdout."""
    try:
        from dagdsl.lsp.server import serve
    except ModuleNotFoundError as error:
        missing = missing_package(error, "the language server")
        if missing is None:
            raise
        raise UsageError(missing) from error
    serve()
