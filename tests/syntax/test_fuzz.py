"""Any mutation of a file gives diagnostics in bounded time, never a traceback."""

from __future__ import annotations

import random
import re
import time

import pytest

from dagdsl.diagnostics.render import plain
from dagdsl.syntax.printer import print_file
from tests.syntax.test_parser import SAMPLE
from tests.syntax.trees import bare, parse_good, parse_text

PIECES = re.findall(r"\s+|#[^\n]*|\w+|->|\|>|\.\.|//|.", SAMPLE)


@pytest.mark.parametrize("seed", range(10))
def test_mutations(seed: int) -> None:
    random_ = random.Random(seed)
    for _ in range(300):
        text = _mutated(random_)
        start = time.process_time()
        file, diagnostics = parse_text(text)
        plain(diagnostics)
        # Generous: it must catch a hang, not a pause of the garbage collector.
        assert time.process_time() - start < 5, text
        # A repaired tree can be printed and parsed like any other.
        if all(diagnostic.code == "DG0102" for diagnostic in diagnostics):
            assert bare(parse_good(print_file(file)).items) == bare(file.items), text
        assert len({(d.span.start, d.message) for d in diagnostics}) == len(diagnostics), text


def _mutated(random_: random.Random) -> str:
    pieces = list(PIECES)
    for _ in range(random_.choice([1, 1, 2, 3, 8])):
        at, other = random_.randrange(len(pieces)), random_.randrange(len(pieces))
        match random_.randrange(5):
            case 0:
                del pieces[at]
            case 1:
                pieces.insert(at, pieces[at])
            case 2:
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case 3:
                pieces[at] = pieces[other]
            case 4:
                pieces.insert(at, _noise(random_))
    return "".join(pieces)


def _noise(random_: random.Random) -> str:
    ends = random_.choice([0x7F, 0x7F, 0x3000, 0x110000])
    return "".join(chr(random_.randrange(ends)) for _ in range(random_.randrange(1, 5)))
