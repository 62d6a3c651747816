"""The entry point of the `dagdsl` command."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command line and exit: 0 success, 1 errors in a file, 2 wrong usage, 3 a bug."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Names and comments may contain characters that the terminal's encoding lacks.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:])
    except BaseException as failure:
        from dagdsl.cli.failures import report

        code = report(failure)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the pipe is gone. Python must not flush stdout again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code if isinstance(code, int) else 0)


def run(arguments: list[str]) -> object:
    """Run one command and return its exit code if it is not 0. Raises what the command raises."""
    if arguments[:1] == ["check"] and arguments[1:] and not _options(arguments):
        # Editors and hooks run this at each save and commit: skip importing the option parser.
        from dagdsl.collector import gc_paused

        with gc_paused():  # imports create many objects, and none of them is garbage
            from dagdsl.cli.checking import check

            return check(arguments[1:])
    from dagdsl.cli.commands import app_for

    return app_for(arguments)(arguments, standalone_mode=False)


def _options(arguments: list[str]) -> bool:
    return any(argument.startswith("-") for argument in arguments)
