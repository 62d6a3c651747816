"""`grammar.lark` -> `grammar.json`: Lark's parser of the language, saved as plain data.

`python -m dagdsl.syntax.generate` (part of `make generated`) rewrites the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import BasicLexer, TerminalDef
from lark.parsers.lalr_analysis import IntParseTable, Shift

FOLDER = Path(__file__).parent
_OPTIONS = ("parser", "lexer", "start", "maybe_placeholders")
"""The options that are saved. Leaving out defaults keeps the file readable by other versions."""


def parser_of(text: str) -> Lark:
    """Return Lark's parser of a grammar. Raises lark's GrammarError if it is not LALR(1)."""
    return Lark(
        text, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=True
    )


def saved_parser(text: str) -> dict[str, Any]:
    """Return the parser of a grammar as data from which `Lark.load` restores it.

    The data is the same in every run.
    """
    parser = parser_of(text)
    lexer = parser._build_lexer()
    assert isinstance(lexer, BasicLexer)
    # The lexer has sorted them: of two that match, the first one counts.
    parser.lexer_conf.terminals = list(lexer.terminals)
    parser.lexer_conf.ignore = tuple(sorted(parser.lexer_conf.ignore))
    lalr = parser.parser.parser
    lalr._parse_table = _renumbered(lalr._parse_table)
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    data["options"] = {name: data["options"][name] for name in _OPTIONS}
    return {"data": data, "memo": memo}


def _renumbered(table: IntParseTable) -> IntParseTable:
    """Number the states as they are reached. Lark's own numbers differ from run to run."""
    (start,) = table.start_states.values()
    numbers = {start: 0}
    for state in (order := [start]):
        for _, (action, arg) in sorted(table.states[state].items()):
            if action is Shift and arg not in numbers:
                numbers[arg] = len(numbers)
                order.append(arg)
    states = {
        numbers[state]: {
            symbol: (action, numbers[arg] if action is Shift else arg)
            for symbol, (action, arg) in sorted(table.states[state].items())
        }
        for state in order
    }
    starts, ends = (
        {name: numbers[state] for name, state in states.items()}
        for states in (table.start_states, table.end_states)
    )
    return IntParseTable(states, starts, ends)  # type: ignore[no-untyped-call]


def main() -> None:
    """Write `grammar.json`."""
    saved = saved_parser(FOLDER.joinpath("grammar.lark").read_text(encoding="utf-8"))
    text = json.dumps(saved, separators=(",", ":"))
    FOLDER.joinpath("grammar.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
