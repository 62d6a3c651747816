"""Every diagnostic has a file with the mistake and, beside it, the expected output."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from dagdsl.diagnostics.codes import CODES
from dagdsl.diagnostics.render import render
from dagdsl.frontend import analyse_file

CASES = sorted((Path(__file__).parent / "cases").glob("*.dg"))
SYNTAX_CASES = Path(__file__).parents[1] / "syntax" / "cases"
TESTED_ELSEWHERE = {
    "DG0001": "tests/syntax: files that cannot be read",
    "DG0002": "tests/syntax: files that cannot be read",
    "DG0003": "tests/syntax: files that cannot be read",
    "DG0505": "tests/frontend: only when a net is asked for",
}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_case(
    case: Path, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.parent)
    text = io.StringIO()
    render(analyse_file(Path(case.name)).diagnostics, Console(file=text, width=100))
    golden(case.with_suffix(".err"), text.getvalue())


def test_every_code_has_a_case() -> None:
    found: set[str] = set()
    for folder in (CASES[0].parent, SYNTAX_CASES):
        for path in folder.glob("*.err"):
            found |= set(re.findall(r"\[(DG\d{4})\]", path.read_text()))
    assert set(CODES) - found - set(TESTED_ELSEWHERE) == set()
