"""Control of Python's garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable garbage collection, for work that allocates many objects and hardly any garbage.

    A full collection visits every live object, so with collections the time to check a net grows
    faster than the net. The memory that the work allocates must be bounded by other means.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
