"""Time from a built artefact to its first prediction, beyond the time to import torch.

    dagdsl build net.dg --weights runs/mine -o build/mine
    python benchmarks/startup.py build/mine image.png

Alternates `python -c "import torch"` and `dagdsl run`, as whole processes, and prints the median
time of each and the median difference within a round.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

IMPORT = [sys.executable, "-c", "import torch"]
RUN = [sys.executable, "-c", "from dagdsl.cli.app import main; main()", "run"]


def seconds(command: list[str]) -> float:
    """Return the wall-clock time of a process. Raises CalledProcessError if it fails."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="From a built artefact to its first prediction.")
    parser.add_argument("folder", type=Path, help="folder written by `dagdsl build --weights`")
    parser.add_argument("image", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    run = [*RUN, str(args.folder), str(args.image)]
    for command in (IMPORT, run):
        seconds(command)
    rounds = [(seconds(IMPORT), seconds(run)) for _ in range(args.rounds)]
    torch, whole = (statistics.median(times) for times in zip(*rounds, strict=True))
    beyond = statistics.median(one - other for other, one in rounds)
    print(f"import torch {torch:.2f} s, dagdsl run {whole:.2f} s: {beyond:.2f} s more")


if __name__ == "__main__":
    main()
