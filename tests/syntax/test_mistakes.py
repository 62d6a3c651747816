"""The files in `cases/` contain mistakes; golden `.err` files next to them hold the messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagdsl.diagnostics.render import plain, summary
from dagdsl.diagnostics.sink import Sink
from dagdsl.source import SourceFile
from dagdsl.syntax.parser import parse
from tests.conftest import Golden

CASES = sorted((Path(__file__).parent / "cases").glob("*.dg"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_mistakes(path: Path, golden: Golden) -> None:
    sink = Sink()
    parse(SourceFile(path.name, path.read_text(encoding="utf-8")), sink)
    found = sink.sorted()
    golden(path.with_suffix(".err"), plain(found) + summary(found) + "\n")
