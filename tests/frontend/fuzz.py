"""Check that broken variants of the shipped files give diagnostics, quickly and in little memory.

`make fuzz` runs `python -m tests.frontend.fuzz 20000 FILE...` for the examples: so many variants of
each. A variant is known by its file and number: `python -m tests.frontend.fuzz NUMBER FILE --show`.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from pathlib import Path

from dagdsl.diagnostics.render import plain
from dagdsl.diagnostics.sink import Sink
from dagdsl.frontend import analyse
from dagdsl.source import SourceFile
from dagdsl.syntax.formatter import format_text

ROOT = Path(__file__).parents[2]
SEEDS = sorted([*ROOT.glob("examples/**/*.dg"), *ROOT.glob("dagdsl/std/**/*.dg")])
CHUNK = 100
MAX_SECONDS = 1.0
MAX_BYTES = 500 << 20
_PIECES = re.compile(r"[ \t]+|\n|#[^\n]*|\"[^\"\n]*\"|\w+|->|\|>|\.\.|//|.", re.DOTALL)
_NUMBERS = ("0", "-1", "1", "2", "1000000000", "9007199254740992", "99999999999999999999", "1e308")
_SPICE = ("{", "}", "(", ")", "[", "]", "->", "|>", "via", "stage", "node", "net", "in", "out", ",")


def pieces_of(path: Path) -> list[str]:
    """Split a file into words, punctuation and white space."""
    return _PIECES.findall(path.read_text(encoding="utf-8"))


@cache
def _all_pieces() -> list[str]:
    return [piece for path in SEEDS for piece in pieces_of(path)]


def broken(pieces: list[str], others: list[str], number: int) -> str:
    """Return variant `number` of a file. `others` are words from other files."""
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
    """Return what is wrong with the front end's answer to a text, or None."""
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
    """Return the peak memory of this process. On Linux, `getrusage` would include its parent's."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) << 10 if found else 0


def examine_all(path: Path, numbers: Iterable[int]) -> Iterator[str]:
    """Yield what is wrong with the answers to some variants of a file."""
    pieces, others = pieces_of(path), _all_pieces()
    for number in numbers:
        wrong = examine(path, broken(pieces, others, number))
        if wrong:
            yield f"{path.relative_to(ROOT)} {number}: {wrong}"


def _report(path: Path, numbers: range, deadline: float) -> tuple[int, list[str], int]:
    """Return how many variants of a file were tried in time, the failures, and the peak memory."""
    tried = 0

    def in_time() -> Iterator[int]:
        nonlocal tried
        for number in numbers:
            if time.monotonic() > deadline:
                return
            yield number
            tried += 1

    found = list(examine_all(path, in_time()))
    return tried, found, peak_bytes()


def run(paths: list[Path], count: int, minutes: float) -> int:
    """Try variants of all files in turn, a hundred at a time, so that all get the same share."""
    start = time.monotonic()
    chunks = [range(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]
    jobs: dict[Path, list[Future[tuple[int, list[str], int]]]] = {path: [] for path in paths}
    failures, all_tried = [], 0
    with ProcessPoolExecutor() as pool:
        for chunk in chunks:
            for path in paths:
                jobs[path].append(pool.submit(_report, path, chunk, start + 60 * minutes))
        for path, parts in jobs.items():
            results = [part.result() for part in parts]
            tried = sum(result[0] for result in results)
            found = [failure for result in results for failure in result[1]]
            peak = max(result[2] for result in results) >> 20
            name = path.relative_to(ROOT)
            print(
                f"{name}: {tried:,} variants, {len(found)} failed, {peak} MiB at most", flush=True
            )
            failures += found
            all_tried += tried
    total, seconds = count * len(paths), time.monotonic() - start
    print(*failures, f"{len(failures)} of {all_tried:,} failed, in {seconds:.0f} s", sep="\n")
    if all_tried < total:
        print(f"{total - all_tried:,} of {total:,} were not tried: there was no time for them")
    return int(bool(failures or all_tried < total))


def main() -> int:
    """Try variants of files, or show one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, help="variants of each file")
    parser.add_argument("files", nargs="*", type=Path, help="which files: all that are shipped")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="stop after so long")
    parser.add_argument("--show", action="store_true", help="show variant COUNT of one file")
    arguments = parser.parse_args()
    paths = [path.resolve() for path in arguments.files] or SEEDS
    if not arguments.show:
        return run(paths, arguments.count, arguments.minutes)
    text = broken(pieces_of(paths[0]), _all_pieces(), arguments.count)
    print(text, examine(paths[0], text), sep="\n----\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
