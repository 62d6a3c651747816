"""The parse table that is shipped is the one of the grammar beside it."""

from __future__ import annotations

import json
from pathlib import Path

from dagdsl.syntax import grammar
from dagdsl.syntax.grammar import build, lark_parser, table_of

FOLDER = Path(grammar.__file__).parent


def test_table_is_current() -> None:
    made = json.loads(table_of((FOLDER / "grammar.lark").read_text()))
    shipped = json.loads((FOLDER / "grammar.json").read_text())
    assert shipped["made_from"] == made["made_from"], "run make generated"


def test_parser_from_the_table_parses_the_same() -> None:
    text = Path("examples/quickstart.dg").read_text()
    anew = build((FOLDER / "grammar.lark").read_text())
    assert lark_parser().parse(text) == anew.parse(text)
