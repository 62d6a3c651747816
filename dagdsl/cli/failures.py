"""An exception -> what the user reads on stderr, and the exit code."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

from dagdsl.diagnostics.model import InvalidSource
from dagdsl.errors import UsageError

ERRORS_IN_FILE = 1
WRONG_USAGE = 2
OUR_BUG = 3
INTERRUPTED = 130


def report(failure: BaseException) -> int:
    """Say on stderr what went wrong; gives the exit code."""
    # typer carries its own copy of click: tell its exceptions by what they can do.
    match failure:
        case SystemExit():
            return failure.code if isinstance(failure.code, int) else 0
        case InvalidSource():
            from dagdsl.cli.console import show_diagnostics

            show_diagnostics(failure.diagnostics, stderr=True)
            return ERRORS_IN_FILE
        case UsageError():
            _say(str(failure))
            return WRONG_USAGE
        case KeyboardInterrupt():
            _say("interrupted")
            return INTERRUPTED
        case BrokenPipeError():
            return 0
        case OSError() if failure.errno in _ENVIRONMENT:
            _say(f"{failure.filename or 'the file'}: {failure.strerror}")
            return WRONG_USAGE
    if hasattr(failure, "exit_code"):
        if type(failure).__name__ == "Abort":
            _say("interrupted")
            return INTERRUPTED
        show = getattr(failure, "show", None)
        if show is not None:
            show()
        return int(failure.exit_code)
    if type(failure).__name__ == "Abort":
        _say("interrupted")
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
        where = f"; the details are in {Path(file.name)}, please send them with your `.dg` file"
    except OSError:
        where = ""
    _say(f"this is a bug in dagdsl ({type(failure).__name__}: {failure}){where}")
    return OUR_BUG


def _say(sentence: str) -> None:
    print(f"dagdsl: {sentence}", file=sys.stderr)
