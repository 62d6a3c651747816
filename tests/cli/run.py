"""Run the command line as a user does: in another process, with its exit code and output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = "from dagdsl.cli.app import main; main()"


def command(*args: object) -> list[str]:
    """Return the command line that runs `dagdsl` with these arguments."""
    return [sys.executable, "-c", PROGRAM, *map(str, args)]


def environment() -> dict[str, str]:
    """Return the environment of this process, with the package on the path."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "compiler")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}


def dagdsl(*args: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `dagdsl` to completion. A traceback fails the test."""
    done = subprocess.run(
        command(*args), capture_output=True, text=True, cwd=cwd, env=environment(), check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done
