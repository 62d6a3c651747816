"""The catalogues -> tables in the docs, between `<!-- name -->` and `<!-- end -->`.

`python docs/tables.py` (or `make docs-tables`) rewrites them; a test checks that they are current.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import REQUIRED, OpSpec, Param
from dagdsl.topology.patterns import PATTERNS, Pattern

DOCS = Path(__file__).parent
_REGION = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def _default(param: Param) -> str:
    if param.default is REQUIRED:
        return param.name
    match param.default:
        case bool(value):
            shown = str(value).lower()
        case str(value):
            shown = f'"{value}"'
        case None:
            shown = "..."
        case value:
            shown = str(value)
    return f"{param.name} = {shown}"


def _signature(spec: OpSpec | Pattern) -> str:
    shown = ", ".join(map(_default, spec.params))
    return f"{spec.name}({shown})" if shown else spec.name


def _ops() -> Iterator[str]:
    yield "| op | what it does |"
    yield "|---|---|"
    for spec in OPS.values():
        notes = "; ".join(f"`{param.name}`: {param.doc}" for param in spec.params)
        text = f"{spec.doc} {notes}." if notes else spec.doc
        yield f"| `{_signature(spec)}` | {text} |".replace("|>", "\\|>")


def _patterns() -> Iterator[str]:
    yield "| pattern | edges |"
    yield "|---|---|"
    for pattern in PATTERNS.values():
        notes = "; ".join(f"`{param.name}`: {param.doc}" for param in pattern.params)
        text = f"{pattern.doc} {notes}." if notes else pattern.doc
        yield f"| `{_signature(pattern)}` | {text} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {"ops": _ops, "patterns": _patterns}


def filled(text: str) -> str:
    """The text of a page with all its tables made anew."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        return "\n".join([f"<!-- {name} -->", *TABLES[name](), "<!-- end -->"])

    return _REGION.sub(fill, text)


if __name__ == "__main__":
    for page in DOCS.rglob("*.md"):
        page.write_text(filled(page.read_text()))
