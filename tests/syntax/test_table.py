"""The tables that are shipped are those of the grammar beside them."""

from __future__ import annotations

import json

from dagdsl.syntax.generate import FOLDER, saved_parser


def test_table_is_current() -> None:
    made = json.loads(json.dumps(saved_parser((FOLDER / "grammar.lark").read_text())))
    assert json.loads((FOLDER / "grammar.json").read_text()) == made, "run make generated"
