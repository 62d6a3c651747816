"""An exception -> the message on stderr, and the exit code."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

from dagdsl.diagnostics.model import InvalidSource
from dagdsl.errors import UsageError
from dagdsl.optional import missing_package

ERRORS_IN_FILE = 1
WRONG_USAGE = 2
BUG = 3
INTERRUPTED = 130


def report(failure: BaseException) -> int:
    """Print on stderr what went wrong, and return the exit code."""
    # typer bundles its own click, so its exceptions are recognised by their attributes.
    match failure:
        case SystemExit():
            return failure.code if isinstance(failure.code, int) else 0
        case InvalidSource():
            from dagdsl.cli.console import show_diagnostics

            show_diagnostics(failure.diagnostics, stderr=True)
            return ERRORS_IN_FILE
        case UsageError():
            _print(str(failure))
            return WRONG_USAGE
        case ModuleNotFoundError() if missing := missing_package(failure, "this command"):
            _print(missing)
            return WRONG_USAGE
        case KeyboardInterrupt():
            _print("interrupted")
            return INTERRUPTED
        case BrokenPipeError():
            return 0
        case OSError() if failure.errno in _ENVIRONMENT:
            _print(f"{failure.filename or 'the file'}: {failure.strerror}")
            return WRONG_USAGE
    if hasattr(failure, "exit_code"):
        if type(failure).__name__ == "Abort":
            _print("interrupted")
            return INTERRUPTED
        show = getattr(failure, "show", None)
        if show is not None:
            show()
        return int(failure.exit_code)
    if type(failure).__name__ == "Abort":
        _print("interrupted")
        return INTERRUPTED
    return _bug(failure)


_ENVIRONMENT = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def _bug(failure: BaseException) -> int:
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(failure))
    command = " ".join(sys.argv)
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="dagdsl-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"{command}\n\n{text}")
        where = f"; please report it with your `.dg` file; the details are in {Path(file.name)}"
    except OSError:
        where = ""
    _print(f"this is a bug in dagdsl ({type(failure).__name__}: {failure}){where}")
    return BUG


def _print(sentence: str) -> None:
    print(f"dagdsl: {sentence}", file=sys.stderr)
