"""Each wrong example has the mistake of its code and no other; each right example has none."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from dagdsl.diagnostics.codes import CODES
from dagdsl.diagnostics.explain import explain
from dagdsl.diagnostics.sink import Sink
from dagdsl.frontend import analyse_file
from dagdsl.source import SourceFile
from dagdsl.syntax.formatter import format_text


def found_in(example: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.chdir(folder)
    path = Path("example.dg")
    path.write_text(f"{example}\n")
    return {found.code for found in analyse_file(path).diagnostics}


@pytest.mark.parametrize("code", CODES)
def test_examples(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = explain(code)
    assert page.meaning
    if page.shown == "dg":
        assert found_in(page.wrong, tmp_path, monkeypatch) == {code}
    if page.shown != "sh":
        assert found_in(page.right, tmp_path, monkeypatch) == set()
        text = f"{page.right}\n"
        assert format_text(SourceFile("example.dg", text), Sink()) == text


def test_no_page_without_a_code() -> None:
    pages = (files("dagdsl.diagnostics") / "explanations").iterdir()
    assert {page.name.removesuffix(".md") for page in pages} == set(CODES)
