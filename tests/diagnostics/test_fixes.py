"""Each file in `fixes/` has mistakes; beside it stands the expected result of `check --fix`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagdsl.diagnostics.fixes import applicable_fixes, apply_fixes
from dagdsl.diagnostics.model import Diagnostic, Edit, Fix
from dagdsl.frontend import analyse
from dagdsl.source import SourceFile, Span
from tests.conftest import Golden

CASES = sorted((Path(__file__).parent / "fixes").glob("*.dg"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_case(case: Path, golden: Golden) -> None:
    source = SourceFile(case.name, case.read_text())
    for _ in range(5):
        source = apply_fixes(source, applicable_fixes(analyse(source).diagnostics, source))
    left = [f"# {found.message}\n" for found in analyse(source).diagnostics]
    golden(case.with_suffix(".fixed"), source.text + "".join(left))


def found(source: SourceFile, *edits: tuple[int, int, str]) -> Diagnostic:
    made = tuple(Edit(Span(source, start, end), text) for start, end, text in edits)
    return Diagnostic("DG0102", "message", made[0].span, fix=Fix("title", made))


def test_touching_edits_wait_for_the_next_round() -> None:
    source = SourceFile("a.dg", "abcdef")
    first, second = found(source, (0, 1, "A")), found(source, (1, 2, "B"))
    third = found(source, (4, 4, "-"), (6, 6, "!"))
    fixes = applicable_fixes([first, second, third], source)
    assert fixes == [first.fix, third.fix]
    assert apply_fixes(source, fixes).text == "Abcd-ef!"


def test_other_files_are_left_alone() -> None:
    source, other = SourceFile("a.dg", "text"), SourceFile("b.dg", "text")
    assert applicable_fixes([found(other, (0, 1, "x"))], source) == []
