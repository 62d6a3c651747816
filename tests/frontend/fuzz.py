"""Broken variants of the shipped files -> diagnostics, soon, within bounds: never anything else.

`make fuzz` runs `python -m tests.frontend.fuzz 20000`: so many variants of every file. A variant is
known by its file and number; `python -m tests.frontend.fuzz NUMBER FILE` shows that one.
"""

from __future__ import annotations

import random
import re
import resource
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from dagdsl.diagnostics.render import plain
from dagdsl.diagnostics.sink import Sink
from dagdsl.frontend import analyse
from dagdsl.source import SourceFile
from dagdsl.syntax.formatter import format_text

ROOT = Path(__file__).parents[2]
SEEDS = sorted([*ROOT.glob("examples/**/*.dg"), *ROOT.glob("dagdsl/std/**/*.dg")])
MAX_SECONDS = 1.0
MAX_BYTES = 500 << 20
_PIECES = re.compile(r"[ \t]+|\n|#[^\n]*|\"[^\"\n]*\"|\w+|->|\|>|\.\.|//|.", re.DOTALL)
_NUMBERS = ("0", "-1", "1", "2", "1000000000", "9007199254740992", "99999999999999999999", "1e308")
_SPICE = ("{", "}", "(", ")", "[", "]", "->", "|>", "via", "stage", "node", "net", "in", "out", ",")


def pieces_of(path: Path) -> list[str]:
    """A file in words, signs and white space."""
    return _PIECES.findall(path.read_text(encoding="utf-8"))


def broken(pieces: list[str], others: list[str], number: int) -> str:
    """Variant `number` of a file; `others` are words of other files."""
    random_ = random.Random(number)
    pieces = list(pieces)
    for _ in range(random_.choice((1, 1, 1, 2, 3, 8))):
        _break(pieces, others, random_)
    return "".join(pieces)


def _break(pieces: list[str], others: list[str], random_: random.Random) -> None:
    at, to = random_.randrange(len(pieces)), random_.randrange(len(pieces))
    match random_.randrange(10):
        case 0:
            pieces[at] = ""
        case 1:
            pieces.insert(at, pieces[at])
        case 2:
            pieces[at], pieces[to] = pieces[to], pieces[at]
        case 3:
            pieces[at] = random_.choice(others)
        case 4:
            pieces.insert(at, random_.choice(_SPICE))
        case 5:
            raw = bytes(random_.randrange(256) for _ in range(random_.randrange(1, 6)))
            pieces.insert(at, raw.decode("utf-8", "replace"))
        case 6:
            del pieces[min(at, to) : min(at, to) + random_.randrange(1, 12)]
        case 7:
            numbers = [index for index, piece in enumerate(pieces) if piece.isdigit()]
            if numbers:
                pieces[random_.choice(numbers)] = random_.choice(_NUMBERS)
        case 8:
            names = [index for index, piece in enumerate(pieces) if piece.isidentifier()]
            if names:
                pieces[random_.choice(names)] = pieces[random_.choice(names)]
        case 9:
            low = min(at, to)
            pieces[low:low] = pieces[low : low + random_.randrange(1, 40)]
    if not pieces:
        pieces.append("")


def examine(path: Path, text: str) -> str | None:
    """What is wrong with how a text is answered; None if nothing is."""
    source = SourceFile(str(path), text)
    start = time.process_time()
    try:
        plain(analyse(source).diagnostics)
        format_text(source, Sink())
    except Exception:
        return traceback.format_exc()
    seconds = time.process_time() - start
    if seconds > MAX_SECONDS:
        return f"took {seconds:.1f} s"
    if peak_bytes() > MAX_BYTES:
        return "took too much memory"
    return None


def peak_bytes() -> int:
    """The most memory this process has held. `getrusage` would count its parent's, on Linux."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) << 10 if found else 0


def examine_all(path: Path, numbers: Iterable[int]) -> Iterator[str]:
    """What is wrong with how some variants of a file are answered."""
    pieces, others = pieces_of(path), [piece for seed in SEEDS for piece in pieces_of(seed)]
    for number in numbers:
        wrong = examine(path, broken(pieces, others, number))
        if wrong:
            yield f"{path.relative_to(ROOT)} {number}: {wrong}"


def _report(path: Path, count: int) -> list[str]:
    start = time.process_time()
    found = list(examine_all(path, range(count)))
    peak = peak_bytes() >> 20
    rate = count / (time.process_time() - start)
    print(f"{path.relative_to(ROOT)}: {rate:.0f} a second, {peak} MiB at most", flush=True)
    return found


def main(arguments: list[str]) -> int:
    """Try variants of all files, or show one."""
    count = int(arguments[0])
    if len(arguments) > 1:
        path = Path(arguments[1]).resolve()
        others = [piece for seed in SEEDS for piece in pieces_of(seed)]
        text = broken(pieces_of(path), others, count)
        print(text, examine(path, text), sep="\n----\n")
        return 0
    with ProcessPoolExecutor() as pool:
        reports = list(pool.map(_report, SEEDS, [count] * len(SEEDS)))
    failures = [failure for report in reports for failure in report]
    print(*failures, f"{len(failures)} of {count * len(SEEDS)} variants failed", sep="\n")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
