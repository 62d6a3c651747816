"""Runs in a subprocess, because the setting affects the whole process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from dagdsl.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
block = bytearray(64 << 20)
del block
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    block = bytearray(64 << 20)
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting exists only in glibc")
def test_freed_blocks_are_reused() -> None:
    kept, returned = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS, mode], text=True))
        for mode in ("keep", "leave")
    )
    assert kept < returned / 10
