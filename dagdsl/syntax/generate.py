"""`grammar.lark` -> `grammar.json`: lark makes the tables, once; what reads texts needs them only.

`python -m dagdsl.syntax.generate` (part of `make generated`) writes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lark import Lark
from lark.grammar import Rule, Terminal
from lark.lexer import BasicLexer, PatternStr
from lark.parsers.lalr_analysis import Shift

FOLDER = Path(__file__).parent


def parser_of(text: str) -> Lark:
    """Lark's own parser of a grammar. Raises lark's GrammarError if it is not LALR(1)."""
    return Lark(
        text, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=True
    )


def table_of(text: str) -> dict[str, Any]:
    """What `Table` in `grammar.py` holds, for a grammar."""
    parser = parser_of(text)
    conf = parser.parse_interactive("").parser_state.parse_conf
    lexer = parser._build_lexer()
    assert isinstance(lexer, BasicLexer)
    # Sorted by the lexer: of two patterns that fit, the first one counts.
    terminals = lexer.terminals
    rules = {rule: index for index, rule in enumerate(parser.rules)}
    # Lark's own numbers differ from run to run: count the states as they are reached.
    numbers = {conf.start_state: 0}
    for state in (order := [conf.start_state]):
        for _, (action, arg) in sorted(conf.states[state].items()):
            if action is Shift and arg not in numbers:
                numbers[arg] = len(numbers)
                order.append(arg)
    return {
        "words": {t.name: t.pattern.value for t in terminals if isinstance(t.pattern, PatternStr)},
        "patterns": {
            t.name: t.pattern.to_regexp()
            for t in terminals
            if not isinstance(t.pattern, PatternStr)
        },
        "ignored": sorted(lexer.ignore_types),
        "rules": [_reduction(rule) for rule in rules],
        "states": [
            {
                symbol: numbers[arg] if action is Shift else -1 - rules[arg]
                for symbol, (action, arg) in sorted(conf.states[state].items())
            }
            for state in order
        ],
        "end": numbers[conf.end_state],
    }


def _reduction(rule: Rule) -> list[Any]:
    """A rule as a `Reduction`: what lark's `parse_tree_builder` makes of its options."""
    absent = "".join(str(int(empty)) for empty in rule.options.empty_indices)
    gaps = [len(run) for run in absent.split("0")] if absent else [0] * (len(rule.expansion) + 1)
    take, gap = [], 0
    for index, symbol in enumerate(rule.expansion):
        gap += gaps[index]
        if not (isinstance(symbol, Terminal) and symbol.filter_out):
            take.append([index, not symbol.is_term and symbol.name.startswith("_"), gap])
            gap = 0
    name = rule.alias or rule.origin.name
    collapses = rule.options.expand1 and not rule.alias
    return [
        len(rule.expansion),
        str(rule.origin.name),
        "" if name.startswith("_") else str(name),
        take,
        gap + gaps[-1],
        collapses,
        collapses and len(rule.expansion) == 1 and take == [[0, False, 0]],
    ]


def main() -> None:
    """Write `grammar.json`."""
    table = table_of(FOLDER.joinpath("grammar.lark").read_text(encoding="utf-8"))
    text = json.dumps(table, separators=(",", ":"))
    FOLDER.joinpath("grammar.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
