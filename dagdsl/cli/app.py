"""The `dagdsl` command: how it starts, and what a failure looks like."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command line. Exit codes: 0 good, 1 errors in a file, 2 wrong usage, 3 our bug."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Names and comments may hold what the terminal's encoding does not.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:])
    except BaseException as failure:
        from dagdsl.cli.failures import report

        code = report(failure)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone: nothing to say, and nothing to flush at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code if isinstance(code, int) else 0)


def run(arguments: list[str]) -> object:
    """Run one command; gives its exit code, if it is not 0. Raises what the command raises."""
    if arguments[:1] == ["check"] and arguments[1:] and not _options(arguments):
        # Run at each save and each commit, most often without options: reading none is sooner done.
        from dagdsl.cli.checking import check

        return check(arguments[1:])
    from dagdsl.cli.commands import app_for

    return app_for(arguments)(arguments, standalone_mode=False)


def _options(arguments: list[str]) -> bool:
    return any(argument.startswith("-") for argument in arguments)
