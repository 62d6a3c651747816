"""Keywords and catalogue names -> the TextMate grammar that highlights `.dg` files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from dagdsl.ops.catalogue import OPS
from dagdsl.sema.arguments import TYPES
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.syntax.wording import KEYWORDS, spelling
from dagdsl.topology.patterns import PATTERNS

_DECLARING: Final = {
    "param": "variable.other.constant",
    "router": "entity.name.function",
    "block": "entity.name.type",
    "net": "entity.name.type",
    "stage": "entity.name.section",
    "node": "variable.other.node",
    "input": "variable.other.node",
    "output": "variable.other.node",
}
"""Keywords that declare a name -> the scope of the declared name."""
_HEADING: Final = ("edition", "import", "as")
_WIRING: Final = ("connect", "via", "through")
_PORTS: Final = ("in", "out")
_CONSTANTS: Final = ("true", "false")

_NAME: Final = r"[A-Za-z_]\w*"


def grammar() -> str:
    """Return the content of `syntaxes/dg.tmLanguage.json`."""
    keywords = {spelling(type) for type in KEYWORDS}
    grouped = {*_DECLARING, *_HEADING, *_WIRING, *_PORTS, *_CONSTANTS}
    assert keywords == grouped, (
        f"keywords without a scope, or scopes without a keyword: {keywords ^ grouped}"
    )
    content = {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "dagdsl",
        "scopeName": "source.dg",
        "fileTypes": ["dg"],
        "patterns": [*_signs(), *_statements(), *_names()],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _signs() -> list[dict[str, Any]]:
    return [
        _rule("comment.line.number-sign", r"#.*$"),
        _rule("string.quoted.double", r'"[^"\n]*"?'),
        _rule("constant.numeric", r"\b\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)?\b"),
        _rule("keyword.operator.wire", r"->"),
        _rule("keyword.operator.pipe", r"\|>"),
        _rule("keyword.operator.range", r"\.\."),
        _rule("keyword.operator.arithmetic", r"//|[-+*/]"),
    ]


def _statements() -> list[dict[str, Any]]:
    declarations = [
        _rule("", rf"\b({keyword})\b(?:\s+({_NAME}))?", f"keyword.declaration.{keyword}", scope)
        for keyword, scope in _DECLARING.items()
    ]
    pattern = rf"\b(connect)\b(?:\s+({_words(PATTERNS)}))?"
    return [
        *declarations,
        _rule("keyword.control.import", _words(_HEADING)),
        _rule("", pattern, "keyword.control.wiring", "support.function.pattern"),
        _rule("keyword.control.wiring", _words(_WIRING)),
        _rule("variable.language.port", _words(_PORTS)),
        _rule("constant.language", _words(_CONSTANTS)),
    ]


def _names() -> list[dict[str, Any]]:
    return [
        # Before the ops: `stride = 2` names an argument, `mobile.conv` a block.
        _rule("variable.parameter", rf"\b{_NAME}(?=\s*=)"),
        _rule("", rf"(?<=\.)\s*({_NAME})", "variable.other.member"),
        _rule("", rf"(?<=:)\s*({_words([*TYPES, 'f32'])})", "storage.type"),
        _rule("support.function.builtin", rf"{_words([*FUNCTIONS, CHOOSE])}(?=\s*\()"),
        _rule("support.function.op", _words(OPS)),
        _rule("variable.other", rf"\b{_NAME}\b"),
    ]


def _rule(name: str, match: str, *captures: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"match": match}
    if name:
        rule["name"] = f"{name}.dg"
    if captures:
        rule["captures"] = {
            str(number): {"name": f"{capture}.dg"} for number, capture in enumerate(captures, 1)
        }
    return rule


def _words(words: Iterable[str]) -> str:
    return rf"\b(?:{'|'.join(sorted(words))})\b"
