"""Text -> tokens. Invalid characters are reported, and skipped or replaced by the likely token."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from dagdsl.source import SourceFile
from dagdsl.syntax.grammar import END, Token, lexicon, scanner, types
from dagdsl.syntax.problems import OffsetEdit, Problems, quoted

_STRANGE = re.compile(r"[^\s\w#\"'(){}\[\],.:=+\-*/|]+|.", re.DOTALL)
_REST_OF_STRING = re.compile(r"'[^'\n]*'|[\"'][^\r\n]*")
_MEANT = {
    "|": ("PIPE", "|>"),
    "=>": ("ARROW", "->"),
    "→": ("ARROW", "->"),
    "⇒": ("ARROW", "->"),
    "⟶": ("ARROW", "->"),
    "–": ("MINUS", "-"),  # noqa: RUF001 - word processors replace a minus sign by it
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
"""The text of an unterminated string token, whose contents are unknown."""


class Tokens(list[Token]):
    """The tokens of a file, followed by the end token."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[int] = []
        """The offsets of characters that are not a token, in order. They have been reported."""


def tokenize(source: SourceFile, problems: Problems) -> Tokens:
    """Return all tokens of a file. Raises nothing: errors go to `problems`."""
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
    """Report the invalid characters at `at`, add the likely token, and return where to continue."""
    if text[at] in "\"'":
        return _skip_string(text, at, tokens, problems)
    match = _STRANGE.match(text, at)
    assert match, "there is a character at this offset"
    found, end = match[0], match.end()
    if found == ">" and tokens and tokens[-1].type == "EQUAL" and tokens[-1].end == at:
        tokens.pop()
        found, at = "=>", at - 1
    meant = _MEANT.get(found)
    edit = (
        OffsetEdit(at, end, meant[1])
        if meant
        else OffsetEdit(at, end, "")
        if found == ";"
        else None
    )
    if meant:
        help = f"did you mean `{meant[1]}`?"
        tokens.append(Token(*meant, at, end))
    else:
        help = _HELP.get(found[0], "")
    tokens.gaps.append(at)
    problems.report("DG0101", at, end, f"unexpected {_describe(found)}", help=help, edit=edit)
    return end


def _skip_string(text: str, at: int, tokens: Tokens, problems: Problems) -> int:
    match = _REST_OF_STRING.match(text, at)
    assert match, "the caller saw a quote"
    found, end = match[0], match.end()
    inside = found.strip("'\"")
    if found.startswith("'"):
        message = "a string in single quotes"
        help = "strings are written in double quotes: " + quoted(f'"{inside}"')
        code = "DG0101"
        literal = f'"{inside}"'
        edit = OffsetEdit(at, end, literal) if found.endswith("'") and '"' not in inside else None
    else:
        message = "unterminated string"
        help = 'a string must end with `"` on the line where it starts'
        code = "DG0103"
        literal, edit = UNREADABLE, None
    problems.report(code, at, end, message, help=help, edit=edit)
    tokens.append(Token("STRING", literal, at, end))
    tokens.gaps.append(at)
    return end


def _is_bad_name(name: Token, tokens: Tokens, problems: Problems) -> bool:
    """Report an invalid name, and return whether to leave it out."""
    start, end = name.extent
    before = tokens[-1] if tokens else None
    if before is not None and before.type in ("INT", "FLOAT") and before.end == start:
        message = f"{quoted(before + name)} is neither a number nor a name"
        problems.report("DG0101", before.start, end, message)
        tokens.gaps.append(start)
        return True
    if not name.isascii():
        strange = next(char for char in name if not char.isascii())
        message = f"the name {quoted(name)} contains the {_describe(strange)}"
        help = "names consist of the letters a-z and A-Z, digits and `_`"
        problems.report("DG0101", start, end, message, help=help)
    return False


def _describe(found: str) -> str:
    if len(found) > 1:
        return f"characters {quoted(found)}"
    if found.isascii() and found.isprintable():
        return f"character `{found}`"
    name = unicodedata.name(found, "a control character").lower()
    glyph = f" `{found}`" if found.isprintable() else ""
    return f"character{glyph} (U+{ord(found):04X}, {name})"
