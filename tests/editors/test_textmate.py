"""The TextMate grammar is current, and the extension is complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

from editors.vscode.textmate import grammar
from tests.conftest import Golden

FOLDER = Path(__file__).parents[2] / "editors/vscode"


def test_the_grammar_is_current(golden: Golden) -> None:
    golden(FOLDER / "syntaxes/dg.tmLanguage.json", grammar())


def test_the_extension_is_complete() -> None:
    package = json.loads((FOLDER / "package.json").read_text())
    contributes = package["contributes"]
    (language,) = contributes["languages"]
    assert language["extensions"] == [".dg"]
    for path in (language["configuration"], contributes["grammars"][0]["path"]):
        assert (FOLDER / path).is_file()
        json.loads((FOLDER / path).read_text())


def test_every_pattern_is_a_regular_expression() -> None:
    for rule in json.loads(grammar())["patterns"]:
        re.compile(rule["match"])
        assert "name" in rule or "captures" in rule
