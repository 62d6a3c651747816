"""Text -> tokens; what is no token is reported, and skipped or replaced by what was meant."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from dagdsl.source import SourceFile
from dagdsl.syntax.grammar import END, Token, lexicon, scanner, types
from dagdsl.syntax.problems import Edit, Problems, shown

_STRANGE = re.compile(r"[^\s\w#\"'(){}\[\],.:=+\-*/|]+|.", re.DOTALL)
_REST_OF_STRING = re.compile(r"'[^'\n]*'|[\"'][^\r\n]*")
_MEANT = {
    "|": ("PIPE", "|>"),
    "=>": ("ARROW", "->"),
    "→": ("ARROW", "->"),
    "⇒": ("ARROW", "->"),
    "⟶": ("ARROW", "->"),
    "–": ("MINUS", "-"),  # noqa: RUF001 - what word processors make of a minus sign
    "−": ("MINUS", "-"),  # noqa: RUF001
    "×": ("STAR", "*"),  # noqa: RUF001
    "…": ("DOTS", ".."),
}
_HELP = {
    ";": "statements need no `;` between them",
    ">": "an edge is written `->`, a pipe `|>`",
    "!": "a comment starts with `#`",
    "“": 'strings are written in plain double quotes: `"text"`',
    "”": 'strings are written in plain double quotes: `"text"`',
}


UNREADABLE: Final = '"'
"""The text of a string token that has no end: nobody knows what was meant to be in it."""


class Tokens(list[Token]):
    """The tokens of a file, with the end token behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.holes: list[int] = []
        """Where something is no token, in order: what does not fit there has been reported."""


def tokenize(source: SourceFile, problems: Problems) -> Tokens:
    """All tokens of a file."""
    text, tokens = source.text, Tokens()
    scan, type_of, ignored = scanner().match, types(), lexicon().ignored
    at = 0
    while at < len(text) and not problems.full:
        match = scan(text, at)
        if match is None:
            at = _skip(text, at, tokens, problems)
            continue
        start, at = at, match.end()
        pattern, word = match.lastgroup or "", match[0]
        if pattern in ignored:
            continue
        token = Token(type_of.get(word, pattern), word, start, at)
        if token.type != "NAME" or not _is_bad_name(token, tokens, problems):
            tokens.append(token)
    tokens.append(Token(END, "", len(text), len(text)))
    return tokens


def _skip(text: str, at: int, tokens: Tokens, problems: Problems) -> int:
    """Report the strange characters at `at`, add what stands for them, and say where to go on."""
    if text[at] in "\"'":
        return _skip_string(text, at, tokens, problems)
    match = _STRANGE.match(text, at)
    assert match, "there is a character at this place"
    found, end = match[0], match.end()
    if found == ">" and tokens and tokens[-1].type == "EQUAL" and tokens[-1].end == at:
        tokens.pop()
        found, at = "=>", at - 1
    meant = _MEANT.get(found)
    edit = Edit(at, end, meant[1]) if meant else Edit(at, end, "") if found == ";" else None
    if meant:
        help = f"did you mean `{meant[1]}`?"
        tokens.append(Token(*meant, at, end))
    else:
        help = _HELP.get(found[0], "")
    tokens.holes.append(at)
    problems.report("DG0101", at, end, f"unexpected {_describe(found)}", help=help, edit=edit)
    return end


def _skip_string(text: str, at: int, tokens: Tokens, problems: Problems) -> int:
    match = _REST_OF_STRING.match(text, at)
    assert match, "the caller saw a quote"
    found, end = match[0], match.end()
    inside = found.strip("'\"")
    if found.startswith("'"):
        message = "a string in single quotes"
        help = "strings are written in double quotes: " + shown(f'"{inside}"')
        code = "DG0101"
        literal = f'"{inside}"'
        edit = Edit(at, end, literal) if found.endswith("'") and '"' not in inside else None
    else:
        message = "this string has no end"
        help = 'a string ends with `"` on the line on which it starts'
        code = "DG0103"
        literal, edit = UNREADABLE, None
    problems.report(code, at, end, message, help=help, edit=edit)
    tokens.append(Token("STRING", literal, at, end))
    tokens.holes.append(at)
    return end


def _is_bad_name(name: Token, tokens: Tokens, problems: Problems) -> bool:
    """Report a name that is none; whether it had better be left out."""
    start, end = name.extent
    before = tokens[-1] if tokens else None
    if before is not None and before.type in ("INT", "FLOAT") and before.end == start:
        message = f"{shown(before + name)} is neither a number nor a name"
        problems.report("DG0101", before.start, end, message)
        tokens.holes.append(start)
        return True
    if not name.isascii():
        strange = next(char for char in name if not char.isascii())
        message = f"the name {shown(name)} has the {_describe(strange)} in it"
        help = "names are made of the letters a-z and A-Z, digits and `_`"
        problems.report("DG0101", start, end, message, help=help)
    return False


def _describe(found: str) -> str:
    if len(found) > 1:
        return f"characters {shown(found)}"
    if found.isascii() and found.isprintable():
        return f"character `{found}`"
    name = unicodedata.name(found, "a control character").lower()
    quoted = f" `{found}`" if found.isprintable() else ""
    return f"character{quoted} (U+{ord(found):04X}, {name})"
