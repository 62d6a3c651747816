from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Number, String

from dagdsl.pygments_lexer import DgLexer

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*ROOT.glob("examples/**/*.dg"), *ROOT.glob("dagdsl/std/**/*.dg")])


def tokens(text: str) -> list[tuple[object, str]]:
    return [(kind, word) for kind, word in DgLexer().get_tokens(text) if not word.isspace()]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_character_has_a_kind(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = list(DgLexer().get_tokens(text))
    assert "".join(word for _, word in found) == text
    assert not [word for kind, word in found if kind in Error]


def test_kinds() -> None:
    found = tokens(
        'param tau: float = 0.1  # "c"\nstage s { node n: conv(3, mode = "x") in -> my.conv }'
    )
    for expected in [
        (Keyword.Declaration, "param"),
        (Name.Variable, "tau"),
        (Keyword.Type, "float"),
        (Number.Float, "0.1"),
        (Comment.Single, '# "c"'),
        (Name.Variable, "s"),
        (Keyword, "node"),
        (Name.Builtin, "conv"),
        (Number.Integer, "3"),
        (Name.Attribute, "mode"),
        (String.Double, '"x"'),
        (Keyword.Pseudo, "in"),
    ]:
        assert expected in found
    assert found[-2] == (Name, "conv")


def test_pygments_knows_it() -> None:
    known = {point.name: point.value for point in entry_points(group="pygments.lexers")}
    if "dg" not in known:
        pytest.skip("installed before there was a lexer")
    assert known["dg"] == "dagdsl.pygments_lexer:DgLexer"
