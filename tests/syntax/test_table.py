"""The shipped tables match the grammar."""

from __future__ import annotations

import json

from dagdsl.syntax.generate import FOLDER, saved_parser


def test_tables_are_current() -> None:
    made = json.loads(json.dumps(saved_parser((FOLDER / "grammar.lark").read_text())))
    assert json.loads((FOLDER / "grammar.json").read_text()) == made, "run make generated"
