"""Processor time of `dagdsl check` relative to `python -c "import lark, pydantic"`.

    python benchmarks/check.py
    python benchmarks/check.py --rounds 31 --limit 2.5

Measures user and system time of whole processes: medians of interleaved runs, after a first run
that writes the bytecode. Without arguments, the files are DG-ResNet-101 and the file in `examples/`
whose nets have the most nodes. Exits with status 1 if a ratio exceeds the limit. A file with random
graphs, such as `randwire.dg`, also pays for importing networkx.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from dagdsl.frontend import analyse_file
from dagdsl.ir.paths import graphs_in

ROOT = Path(__file__).parents[1]
YARDSTICK = [sys.executable, "-c", "import lark, pydantic"]
CHECK = [sys.executable, "-c", "from dagdsl.cli.app import main; main()", "check"]
DEEP = 'import "std/models/dg_resnet.dg" as models\nnet deep = models.dg_resnet101\n'
"""A large net of the standard library."""


def largest_example() -> Path:
    """Return the file in `examples/` with the most nodes, including those of stages and blocks."""

    def nodes(path: Path) -> int:
        nets = analyse_file(path).nets.values()
        return sum(len(graph.nodes) for net in nets for graph in graphs_in((net.graph,)))

    return max(ROOT.glob("examples/**/*.dg"), key=nodes)


def milliseconds(command: list[str]) -> float:
    """Return the processor time of a command in milliseconds."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return 1000 * (usage.ru_utime + usage.ru_stime)


def main() -> int:
    """Measure, print, and compare with the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--limit", type=float, default=2.5, help="largest ratio allowed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        deep = Path(folder, "dg_resnet101.dg")
        deep.write_text(DEEP)
        files = [path.resolve() for path in arguments.files] or [largest_example(), deep]
        commands = {"import lark, pydantic": YARDSTICK}
        commands |= {f"check {path.name}": [*CHECK, str(path)] for path in files}
        took: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            milliseconds(command)
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                took[name].append(milliseconds(command))
    medians = {name: statistics.median(times) for name, times in took.items()}
    yardstick = medians["import lark, pydantic"]
    print(f"{'':32}{'ms':>8}{'ratio':>8}")
    for name, median in medians.items():
        print(f"{name:32}{median:8.0f}{median / yardstick:8.2f}")
    return int(max(medians.values()) > arguments.limit * yardstick)


if __name__ == "__main__":
    sys.exit(main())
