"""The memory of the process that runs the tests (Linux only: elsewhere nothing is measured)."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from contextlib import suppress
from pathlib import Path

MEASURED = sys.platform == "linux"
MIB = 1 << 20
LIMIT = 1536 * MIB
"""Maximum resident memory of a test process, so that two of them fit in 4 GB."""
GROWTH = 192 * MIB
"""Growth of the resident memory after which garbage is collected. A collection takes 0.3 s."""


class Memory:
    """The resident memory of this process and its children over a test session."""

    def __init__(self) -> None:
        self.level = self.peak = 0
        if MEASURED:
            self.level, self.peak = resident(), peak()

    def release(self) -> None:
        """Return garbage to the system if the process has grown since the last time."""
        if MEASURED and resident() > self.level + GROWTH:
            free()
            self.level = resident()

    def excess(self) -> int:
        """Return the peak in bytes if it rose above the limit since the last call, else 0."""
        if not MEASURED or _has_cuda():
            return 0
        before, self.peak = self.peak, peak()
        return self.peak if self.peak > max(before, LIMIT) else 0


def free() -> None:
    """Collect garbage and return freed memory to the system, which the allocator keeps."""
    gc.collect()
    if MEASURED:
        with suppress(AttributeError):  # only glibc has it
            ctypes.CDLL(None).malloc_trim(0)


def resident() -> int:
    """The bytes that are resident now."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def peak() -> int:
    """The most bytes that were ever resident in this process or in one of its children."""
    status = Path("/proc/self/status").read_text()
    own = int(status.partition("VmHWM:")[2].split()[0])
    # A child starts with the peak of its parent, so only a larger one is its own.
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) << 10


def _has_cuda() -> bool:
    """Whether torch is a CUDA build, whose libraries alone take much of the limit."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.version.cuda is not None
