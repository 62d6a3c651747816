"""The memory limit of the test processes, in subprocesses of which nothing else is known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.memory import MEASURED

pytestmark = pytest.mark.skipif(not MEASURED, reason="memory is measured on Linux only")

ROOT = Path(__file__).parents[1]
PREAMBLE = """
import subprocess, sys
from tests import memory
from tests.memory import MIB, Memory
watched = Memory()
memory.LIMIT = watched.peak + 32 * MIB
"""
OWN = """
small = bytearray(8 * MIB)
print(watched.excess() == 0)
large = bytearray(b"1") * (64 * MIB)
print(watched.excess() > memory.LIMIT, watched.excess() == 0)
"""
CHILD = """
subprocess.run([sys.executable, "-c", "bytearray(b'1') * (256 << 20)"], check=True)
print(watched.excess() > 256 * MIB, watched.excess() == 0)
"""
RELEASE = """
cycle = [bytearray(b"1") * (memory.GROWTH + 64 * MIB)]
cycle.append(cycle)
del cycle
before = memory.resident()
watched.release()
print(before - memory.resident() > memory.GROWTH)
"""


@pytest.mark.parametrize("script", [OWN, CHILD, RELEASE], ids=["own", "child", "release"])
def test_memory(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert set(done.stdout.split()) == {"True"}


def test_a_test_above_the_limit_fails(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests import conftest, memory\n"
        "from tests.conftest import pytest_runtest_teardown\n"
        "conftest.LIMIT = memory.LIMIT = memory.peak() + 32 * memory.MIB\n"
    )
    (tmp_path / "test_two.py").write_text(
        "def test_large():\n    bytearray(b'1') * (128 << 20)\n\ndef test_small():\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]
    done = subprocess.run(
        [*command, str(tmp_path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )
    assert "2 passed, 1 error" in done.stdout
    assert "test_large took the process to" in done.stdout
