"""Settings of the C library's memory allocator."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of `mallopt`, from the `malloc.h` of glibc."""


def keep_freed_memory() -> None:
    """Reuse freed memory blocks of any size instead of returning them to the system (glibc only).

    A network allocates the same tensors in every pass. By default glibc requests blocks of more
    than a few MiB from the system each time. Their pages then fault on first access, which can take
    as long as the arithmetic. Only for processes that dagdsl owns: the process never shrinks.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)
