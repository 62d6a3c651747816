"""Measure the performance goals and write `docs/performance.json`.

    python -m benchmarks.goals                      all groups: 40 minutes on 2 quiet cores
    python -m benchmarks.goals --only static,cold   some of the groups
    python -m benchmarks.goals --quick -o FILE      small nets, few rounds: to test the benchmarks

The groups are static, dense, sparse, training, cold and start. Each runs in its own process. The
file keeps earlier results of other groups. `python -m benchmarks.report` writes
`docs/performance.md` from it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.goals.table import GOALS, GROUPS
from dagdsl.benchmark.machine import describe, prepare
from dagdsl.files import make_folder, write_atomic

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "performance.json"


def measure(group: str, quick: bool) -> dict[str, Any]:
    """Measure one group and return its entry for the file."""
    from benchmarks.goals.record import Record
    from benchmarks.goals.scale import FULL, QUICK
    from dagdsl.benchmark.timing import noise_warning

    start = time.perf_counter()
    records: list[Record] = []
    measured = import_module(f"benchmarks.goals.{group}").measure
    for record in measured(QUICK if quick else FULL, lambda message: say(f"{message} ...")):
        records.append(record)
        say(line(record))
    others = [record.others for record in records if record.others is not None]
    spreads = [record.value.spread for record in records if record.value.spread]
    return {
        "command": f"python -m benchmarks.goals --only {group}" + " --quick" * quick,
        "machine": asdict(describe()),
        "day": time.strftime("%Y-%m-%d"),
        "minutes": round((time.perf_counter() - start) / 60, 1),
        "doubts": noise_warning(spreads, max(others, default=None)),
        "records": [record.to_json() for record in records],
    }


def line(record: Any) -> str:
    """Format a record as one line."""
    verdict = {None: "", True: "met", False: "MISSED"}[record.met]
    limit = "" if record.limit is None else f"<= {record.limit:.2f} {verdict}"
    return (
        f"{record.case:<44} {record.name} {record.value.median:.2f} {record.unit} / "
        f"{record.reference} {record.reference_value.median:.2f} {record.unit} = "
        f"{record.ratio.median:.2f} {limit} {GOALS[record.goal].what if record.goal else ''}"
    ).rstrip()


def say(message: str) -> None:
    """Print progress to stderr; stdout carries the results of a group."""
    print(message, file=sys.stderr, flush=True)


def main() -> int:
    """Run the groups one after another and return 1 if any failed, else 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help=f"comma-separated groups: {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="small nets and few rounds")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=RESULTS,
        help="results file (default: docs/performance.json)",
    )
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    wanted = args.only.split(",") if args.only else GROUPS
    if unknown := [group for group in wanted if group not in GROUPS]:
        parser.error(f"unknown group {unknown[0]}: use {', '.join(GROUPS)}")
    prepare()
    if args.here:
        print(json.dumps(measure(args.only, args.quick)))
        return 0
    failed = 0
    for group in wanted:
        command = [sys.executable, "-m", "benchmarks.goals", "--here", "--only", group]
        command += ["--quick"] * args.quick
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            say(f"{group} failed")
            failed = 1
            continue
        before = json.loads(args.output.read_text()) if args.output.exists() else {}
        make_folder(args.output.parent)
        content = {**before, group: json.loads(done.stdout.splitlines()[-1])}
        ordered = {group: content[group] for group in GROUPS if group in content}
        write_atomic(args.output, json.dumps(ordered, indent=1) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
