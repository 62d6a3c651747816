"""What the docs show is true: `dg` blocks check clean, links lead somewhere, files are current."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

import dagdsl
from dagdsl.frontend import analyse
from dagdsl.source import SourceFile
from dagdsl.viz.formats import draw

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```dg\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


def blocks() -> list[tuple[str, str]]:
    return [
        (f"{page.name}-{number}", block)
        for page in PAGES
        for number, block in enumerate(BLOCK.findall(page.read_text()), 1)
    ]


@pytest.mark.parametrize("block", [pytest.param(text, id=name) for name, text in blocks()])
def test_dg_block_checks_clean(block: str) -> None:
    assert analyse(SourceFile("docs.dg", block)).diagnostics == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), link


def test_readme_shows_the_quickstart() -> None:
    shown = next(b for b in BLOCK.findall((ROOT / "README.md").read_text()))
    assert dagdsl.loads(shown).hash == dagdsl.load(ROOT / "examples/quickstart.dg").hash


def test_picture_is_current() -> None:
    picture = (ROOT / "docs/images/quickstart.svg").read_text()
    assert picture == draw(dagdsl.load(ROOT / "examples/quickstart.dg"), ".svg")


def test_tables_are_current() -> None:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs/tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.read_text() == tables.filled(page.read_text()), f"run make generated: {page}"


def test_schema_is_current() -> None:
    schema = json.loads((ROOT / "docs/ir.schema.json").read_text())
    assert schema == json.loads(json.dumps(dagdsl.Net.json_schema()))
