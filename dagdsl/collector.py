"""Python's search for garbage, and where it can wait."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_can_wait() -> Iterator[None]:
    """No search for garbage in here: for work that makes many objects, hardly any of them garbage.

    Each search looks at all objects there are, so it takes the longer the more have been made: with
    it, checking a net is not linear in its size. What is made must be bounded by other means.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
