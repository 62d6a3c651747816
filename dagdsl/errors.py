"""Errors other than the diagnostics of a `.dg` file."""

from __future__ import annotations


class UsageError(Exception):
    """A wrong flag, data set, checkpoint or environment.

    `str(error)` is one sentence for the user: what is wrong and what to do. The CLI shows it
    without a traceback and exits with status 2.
    """
