"""Describe token types in messages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from dagdsl.syntax.grammar import END, Token, lexicon
from dagdsl.syntax.problems import quoted
from dagdsl.syntax.trace import STATEMENTS, TOP_LEVEL, Trace

_VALUE = frozenset(
    {"INT", "FLOAT", "STRING", "TRUE", "FALSE", "NAME", "IN", "LPAR", "LSQB", "MINUS"}
)
_REF = frozenset({"NAME", "IN", "OUT"})
_OPERATORS = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "SLASHES", "PIPE"})
_AFTER_NAME = frozenset({"DOT", "LPAR", "LSQB"})
_WORDS = {
    "STRING": "a string",
    "INT": "a whole number",
    "FLOAT": "a number",
    END: "the end of the file",
}
KEYWORDS: Final = frozenset(
    {"EDITION", "IMPORT", "AS", "PARAM", "ROUTER", "BLOCK", "NET", "INPUT", "NODE", "STAGE"}
    | {"OUTPUT", "CONNECT", "VIA", "THROUGH", "IN", "OUT", "TRUE", "FALSE"}
)


def spelling(type: str) -> str:
    """Return the text of a keyword or sign."""
    return lexicon().words[type]


def found(token: Token) -> str:
    """Describe a token that was found."""
    if token.type == END:
        return _WORDS[END]
    if token.type in KEYWORDS:
        return f"the keyword `{token}`"
    if token.type == "STRING":
        return f"the string {quoted(token)}"
    return quoted(token)


def wanted(types: Collection[str], before: str, kind: str) -> str:
    """Describe what may follow a token of type `before` in a statement that starts with `kind`."""
    left = set(types)
    words = []
    if left >= _VALUE:
        left -= _VALUE
        words.append(_value(before, kind))
    elif left >= _REF and not left >= STATEMENTS - {"INPUT", "STAGE", "OUTPUT"}:
        left -= _REF
        words.append("a node")
    elif before == "CONNECT":
        left -= {"NAME", "IN"}
        words.append("a pattern such as `complete`")
    if left >= TOP_LEVEL:
        left -= TOP_LEVEL
        words.append("`net` or another declaration")
    if left & STATEMENTS:
        left -= STATEMENTS | _REF
        words.append("a statement")
    if "NAME" in left:
        left -= {"NAME"}
        words.append("a type" if before == "COLON" else "a name")
    # Operators and the like may follow any value: mention them only if nothing else is expected.
    for usual in (_OPERATORS, _AFTER_NAME, {END}):
        if words or left - usual:
            left -= usual
    words += sorted(_WORDS.get(type, f"`{spelling(type)}`") for type in left - _WORDS.keys())
    words += sorted(_WORDS[type] for type in left & _WORDS.keys())
    return _either(words)


def _value(before: str, kind: str) -> str:
    if before == "VIA":
        return "a router"
    if before in ("PIPE", "THROUGH") or (before, kind) in (("COLON", "NODE"), ("EQUAL", "ROUTER")):
        return "an op"
    return "a value"


def _either(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return ", ".join(words[:-1]) + " or " + words[-1]


def hint(trace: Trace, at: int) -> str:
    """Return what to write instead, for habits from other languages; empty for other mistakes."""
    token, before = trace.tokens[at], trace.tokens[at - 1] if at else None
    touching = before is not None and before.end == token.start
    match (before.type if before else "", token.type):
        case (_, "EQUAL") if trace.snapshots[at].kind == "PARAM":
            return f"a param needs a type: `param {before}: int = ...`"
        case ("INT", "DOT") if touching:
            return f"a float needs digits on both sides of the point: `{before}.0`"
        case (_, "DOT") if at + 1 < len(trace.tokens) and trace.tokens[at + 1].type == "INT":
            return f"a float needs digits on both sides of the point: `0.{trace.tokens[at + 1]}`"
        case ("STAR", "STAR"):
            return "there is no operator `**`"
        case (_, "SLASHES"):
            return "a comment starts with `#`"
        case ("NAME", "COMMA" | "RBRACE") if trace.snapshots[at].kind == "OUTPUT":
            return "each tap needs a name: `output taps { p3 = s1, p4 = s2 }`"
        case ("IMPORT", _):
            return 'the path must be a string: `import "std/mobile.dg" as mobile`'
    return ""
