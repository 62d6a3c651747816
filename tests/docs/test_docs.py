"""`.dg` blocks in the docs check clean, links resolve, generated parts are current."""

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
from tests.docs.pages import CURRENT, PAGES, ROOT, Fence, fences

FOLDERS = "dagdsl|compiler|tests|docs|benchmarks|examples|editors|std"
ROOTS = (ROOT, ROOT / "dagdsl")
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
FILE = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
"""A path from the root of the repository within the text."""
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.mark.parametrize(
    "block", [block for page in PAGES for block in fences(page, "dg")], ids=str
)
def test_dg_block_checks_clean(block: Fence) -> None:
    assert analyse(SourceFile("docs.dg", block.text)).diagnostics == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = CODE.sub("`", page.read_text(encoding="utf-8"))
    for path, anchor in LINK.findall(text):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub and MyST name them."""
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: page.name)
def test_files_in_the_text_exist(page: Path) -> None:
    for name in FILE.findall(page.read_text(encoding="utf-8")):
        assert any((root / name).exists() for root in ROOTS), name


def test_readme_shows_the_quickstart() -> None:
    shown = fences(ROOT / "README.md", "dg")[0]
    assert dagdsl.loads(shown.text).hash == dagdsl.load(ROOT / "examples/quickstart.dg").hash


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


def test_one_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", changes, re.MULTILINE)[0] == dagdsl.__version__
    extension = json.loads((ROOT / "editors/vscode/package.json").read_text(encoding="utf-8"))
    assert extension["version"] == dagdsl.__version__
