"""The pages of the documentation and their fenced blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
CURRENT = [
    page for page in PAGES if page.name != "CHANGELOG.md" and page.parent.name != "decisions"
]
"""The pages that describe the present; the others may name files and commands of their time."""
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """A block between two lines of backticks: its language, its text, and the line it begins in."""

    page: Path
    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def fences(page: Path, language: str = "") -> list[Fence]:
    """The blocks of a page in order; only those of one language if it is given."""
    text = page.read_text(encoding="utf-8")
    return [
        Fence(page, found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
        if language in ("", found[1])
    ]
