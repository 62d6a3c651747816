"""`docs/performance.json` -> the tables and plots of `docs/performance.md`, without measuring.

    python -m benchmarks.report

The text between `<!-- measured: NAME -->` and `<!-- end -->` is generated; the rest of the page is
written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chart import Panel, Series, draw
from benchmarks.goals.record import Record
from benchmarks.goals.table import GOALS
from dagdsl.benchmark.machine import Machine
from dagdsl.files import write_atomic

DOCS = Path(__file__).parents[1] / "docs"
PAGE, RESULTS = DOCS / "performance.md", DOCS / "performance.json"
_REGION = re.compile(r"<!-- measured: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Group:
    """The records of one measurement, with its command, machine and date."""

    command: str
    machine: Machine
    day: str
    minutes: float
    doubts: str | None
    records: Sequence[Record]


Groups = Mapping[str, Group]


def read(text: str) -> dict[str, Group]:
    """Parse the content of `docs/performance.json`."""
    return {
        name: Group(
            **{
                **content,
                "machine": Machine(**content["machine"]),
                "records": [Record.from_json(record) for record in content["records"]],
            }
        )
        for name, content in json.loads(text).items()
    }


def filled(page: str, groups: Groups) -> str:
    """Return the page with all generated parts replaced."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        lines = _goals(groups) if name == "goals" else _group(name, groups)
        return "\n".join([f"<!-- measured: {name} -->", *lines, "<!-- end -->"])

    return _REGION.sub(fill, page)


def plots(groups: Groups) -> dict[str, str]:
    """Return file name -> SVG for each plot whose group was measured."""
    return {
        PLOTS[name].file: draw(list(PLOTS[name].panels(group.records)))
        for name, group in groups.items()
        if name in PLOTS
    }


def _goals(groups: Groups) -> Iterator[str]:
    """Yield a row for each goal: its worst case, and how many cases meet it."""
    yield "| comparison | goal | worst case | met | command |"
    yield "|---|---|---|---:|---|"
    for name, goal in GOALS.items():
        group = groups.get(goal.group)
        records = [record for record in group.records if record.goal == name] if group else []
        if not group or not records:
            yield f"| {goal.what} | {goal.limit} | not measured yet | | |"
            continue
        worst = max(records, key=_excess)
        met = sum(record.met is True for record in records)
        limit = f" where {worst.limit:.2f} is the goal" if " a " in goal.limit else ""
        noisy = "; noisy" if group.doubts else ""
        found = f"{_ratio(worst)}{limit} ({worst.case}{noisy})"
        yield (
            f"| {goal.what} | {goal.limit} | {found} | {met} of {len(records)} "
            f"| `{group.command}` |"
        )


def _group(name: str, groups: Groups) -> Iterator[str]:
    """Yield the plot, the machine, and a row for each record."""
    if name not in groups:
        yield "Not measured yet."
        return
    group = groups[name]
    if name in PLOTS:
        yield f"![{PLOTS[name].shows}](images/{PLOTS[name].file})"
        yield ""
    yield f"`{group.command}`, {group.day}, {group.minutes:g} minutes, on {group.machine}."
    if group.doubts:
        yield f"**Unreliable:** {group.doubts}."
    yield ""
    yield "| case | subject | | compared with | | ratio | goal |"
    yield "|---|---|---:|---|---:|---:|---|"
    for record in group.records:
        goal = ""
        if record.limit is not None:
            verdict = "met" if record.met else "**missed**"
            goal = f"{verdict} ({record.limit:.2f}{' s' * record.difference})"
        yield (
            f"| {record.case} | {record.name} | {_value(record.value, record.unit)} "
            f"| {record.reference} | {_value(record.reference_value, record.unit)} "
            f"| {_ratio(record)} | {goal} |"
        )


def _value(estimate: object, unit: str) -> str:
    from dagdsl.benchmark.timing import Estimate

    assert isinstance(estimate, Estimate)
    digits = max(0, 2 - len(str(int(estimate.median)))) + (unit == "s")
    spread = f" ± {estimate.spread:.0%}" if estimate.spread else ""
    return f"{estimate.median:,.{digits}f} {unit}{spread}"


def _ratio(record: Record) -> str:
    spread = f" ± {record.ratio.spread:.0%}" if record.ratio.spread else ""
    return f"{record.ratio.median:.2f}{' s more' * record.difference}{spread}"


def _excess(record: Record) -> float:
    return record.ratio.median - (record.limit or 0.0)


def _active_panels(records: Sequence[Record]) -> Iterator[Panel]:
    """One panel per net: the best mode for each batch size, and the hand-written net that skips."""
    for net in dict.fromkeys(record.case.partition(",")[0] for record in records):
        lines: dict[str, list[tuple[float, float]]] = {}
        for record in records:
            if not record.case.startswith(f"{net},") or record.at is None:
                continue
            name = f"batch {record.batch}, best mode"
            if record.name.startswith("by hand"):
                name = f"batch {record.batch}, {record.name}"
            elif record.goal != "sparse":
                continue
            lines.setdefault(name, []).append((record.at, record.ratio.median))
        series = [Series(name, points) for name, points in lines.items()]
        yield Panel(net, "active MACs", "time / dense", series, "time = active MACs")


def _cold_panels(records: Sequence[Record]) -> Iterator[Panel]:
    """One panel per task: seconds over nodes."""
    staged = [record for record in records if record.at is not None]
    for task in dict.fromkeys(record.case.rpartition(", ")[2] for record in staged):
        of_task = [record for record in staged if record.case.endswith(task)]
        ours = [(record.at or 0.0, record.value.median) for record in of_task]
        theirs = [(record.at or 0.0, record.reference_value.median) for record in of_task]
        series = [Series("dagdsl", ours), Series(of_task[0].reference, theirs)]
        yield Panel(f"cold compilation: {task}", "nodes of a stage", "seconds", series)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of the records of a group; `shows` is its alternative text."""

    file: str
    shows: str
    panels: Callable[[Sequence[Record]], Iterator[Panel]]


PLOTS = {
    "sparse": Plot("active_time.svg", "Time against active MACs", _active_panels),
    "cold": Plot("compile_time.svg", "Seconds to compile against nodes", _cold_panels),
}


def main() -> None:
    """Rewrite the page and its plots."""
    groups = read(RESULTS.read_text()) if RESULTS.exists() else {}
    write_atomic(PAGE, filled(PAGE.read_text(), groups))
    for name, drawn in plots(groups).items():
        write_atomic(DOCS / "images" / name, drawn)
    print(f"wrote {PAGE.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
