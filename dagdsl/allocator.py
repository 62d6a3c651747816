"""The C library's memory, and what it does with that which is freed."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of `mallopt`, from glibc's `malloc.h`."""


def keep_freed_memory() -> None:
    """Let large blocks be used again rather than given back to the system. For glibc.

    A network allocates the same tensors in every pass. By default those of more than some MiB come
    from the system each time, and each of their pages is faulted in when it is first touched, which
    can take as long as the arithmetic. For processes of our own: the process stays as large as it
    once was.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)
