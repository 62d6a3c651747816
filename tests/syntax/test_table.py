"""The tables that are shipped are those of the grammar beside them."""

from __future__ import annotations

import json

from dagdsl.syntax.generate import FOLDER, table_of


def test_table_is_current() -> None:
    made = json.loads(json.dumps(table_of((FOLDER / "grammar.lark").read_text())))
    assert json.loads((FOLDER / "grammar.json").read_text()) == made, "run make generated"
