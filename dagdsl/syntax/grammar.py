"""`grammar.lark` -> the LALR parser and its table, made once, when first asked for.

Building the table takes longer than all else a check does, so it is kept as `grammar.json`
(`make generated` writes it). A table of another grammar or another lark is not used.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lark import Lark, Token
from lark import __version__ as lark_version
from lark.grammar import Rule
from lark.lexer import TerminalDef

END: Final = "$END"
"""The type of the token that stands behind the last one of a file."""


@cache
def lark_parser() -> Lark:
    """The parser. Nothing in it changes once it is made."""
    text = _resource("grammar.lark")
    saved = json.loads(_resource("grammar.json"))
    return _restore(saved) if saved["made_from"] == _fingerprint(text) else build(text)


def build(text: str) -> Lark:
    """The parser of a grammar, its table computed anew."""
    return Lark(
        text, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=True
    )


def table_of(text: str) -> str:
    """The content of `grammar.json` for a grammar."""
    data, memo = build(text).memo_serialize([TerminalDef, Rule])
    saved = {"made_from": _fingerprint(text), "data": data, "memo": memo}
    return json.dumps(saved, separators=(",", ":")) + "\n"


def _restore(saved: dict[str, Any]) -> Lark:
    # What lark's own `load` does with what it unpickles; JSON made strings of the integer keys.
    parser = saved["data"]["parser"]["parser"]
    parser["states"] = {int(state): row for state, row in parser["states"].items()}
    memo = {int(key): value for key, value in saved["memo"].items()}
    restored: Lark = Lark.__new__(Lark)._load({"data": saved["data"], "memo": memo})
    return restored


def _resource(name: str) -> str:
    return files("dagdsl.syntax").joinpath(name).read_text(encoding="utf-8")


def _fingerprint(text: str) -> str:
    return hashlib.sha256(f"{lark_version}\n{text}".encode()).hexdigest()


def make_token(type_: str, text: str, start: int, end: int | None = None) -> Token:
    """A token at an offset; one that the parser itself adds stands at a single point."""
    # Lark's line and column go unused: `SourceFile` is the one place that knows them.
    return Token(type_, text, start, 0, 0, 0, 0, start if end is None else end)


def extent(token: Token) -> tuple[int, int]:
    """Where a token starts and ends."""
    assert token.start_pos is not None
    assert token.end_pos is not None
    return token.start_pos, token.end_pos
