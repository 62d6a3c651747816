"""Compare the speed of this tree with that of an earlier commit, in interleaved runs.

    python -m benchmarks.compare COMMIT                         small nets: about 5 minutes a round
    python -m benchmarks.compare COMMIT --only dense --full     the nets of docs/performance.md

Each round runs `benchmarks.goals` on both trees, the earlier one in a temporary git worktree. A row
of the table is one record: a subject divided by its reference, which is timed in turns with it, on
both trees, and the change from the one to the other (medians over the rounds). Exits with status 1
if a change exceeds the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[1]

Comparison: TypeAlias = tuple[str, str, str]
"""A case, a subject measured in it, and the reference."""


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A temporary worktree of a commit."""
    with tempfile.TemporaryDirectory(prefix="dagdsl-compare-") as folder:
        path = Path(folder, "before")
        subprocess.run(["git", "worktree", "add", "--detach", path, commit], cwd=ROOT, check=True)
        try:
            yield path
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", path], cwd=ROOT, check=True)


def measure(tree: Path, arguments: list[str]) -> dict[Comparison, float]:
    """Run `benchmarks.goals` on a tree and return the ratio of each record."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "results.json")
        # The tree comes before an editable installation of another one.
        paths = {"PYTHONPATH": os.pathsep.join([str(tree), str(tree / "compiler")])}
        command = [sys.executable, "-m", "benchmarks.goals", *arguments, "--output", str(output)]
        subprocess.run(command, cwd=tree, env=os.environ | paths, check=True)
        groups = json.loads(output.read_text())
    return {
        (record["case"], record["name"], record["reference"]): record["ratio"]["median"]
        for group in groups.values()
        for record in group["records"]
        if not record.get("difference")
    }


def main() -> int:
    """Measure in turns, print the table, and compare with the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commit", help="the earlier commit")
    parser.add_argument("--only", help="comma-separated groups of `benchmarks.goals`")
    parser.add_argument("--full", action="store_true", help="the nets of docs/performance.md")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.03, help="largest change allowed")
    args = parser.parse_args()
    goals = [] if args.full else ["--quick"]
    goals += ["--only", args.only] if args.only else []
    rounds: list[tuple[dict[Comparison, float], dict[Comparison, float]]] = []
    with checkout(args.commit) as earlier:
        for index in range(args.rounds):
            trees = (earlier, ROOT) if index % 2 == 0 else (ROOT, earlier)
            by_tree = {tree: measure(tree, goals) for tree in trees}
            rounds.append((by_tree[earlier], by_tree[ROOT]))
    worst = 0.0
    print(f"{'':72}{'before':>8}{'after':>8}{'change':>8}")
    for key in rounds[0][0]:
        if any(key not in found for both in rounds for found in both):
            continue  # it exists in one of the trees only
        before, after = (statistics.median(both[side][key] for both in rounds) for side in (0, 1))
        change = statistics.median(new[key] / old[key] for old, new in rounds)
        worst = max(worst, change)
        case, name, reference = key
        print(f"{f'{case}: {name} / {reference}':72}{before:8.2f}{after:8.2f}{change:8.2f}")
    return int(worst > args.limit)


if __name__ == "__main__":
    sys.exit(main())
