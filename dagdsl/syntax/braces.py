"""Blocks that are closed too late or too early; how the lines are indented tells where."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dagdsl.syntax.fixes import Fix, Mistake, inserted, place
from dagdsl.syntax.grammar import END, Token
from dagdsl.syntax.problems import shown
from dagdsl.syntax.trace import STATEMENTS, TOP_LEVEL, Open, Trace

_SUSPECTS = 3
"""How many blocks to suspect of having been closed by a brace that was not theirs."""


def proposals(trace: Trace, at: int) -> Iterator[Fix]:
    """Changes to the braces that may mend the mistake at token `at`, the likeliest first."""
    blocks = trace.moments[at].blocks()
    if not blocks:
        yield from _closed_too_early(trace, at)
    elif trace.tokens[at].type in STATEMENTS | TOP_LEVEL | {END}:
        for block, index in islice(_wrongly_closed(trace, blocks, at), _SUSPECTS):
            yield _missing(trace, [block], index)
        for block in blocks:
            if (end := _end_by_indent(trace, block, at)) is not None:
                yield _missing(trace, [block], end)
        if not is_misplaced(trace, at):
            for count in range(1, len(blocks) + 1):
                yield _missing(trace, blocks[:count], at)


def is_misplaced(trace: Trace, at: int) -> bool:
    """Whether a keyword stands, and was meant to, in a block that may not hold its statement."""
    block = next(iter(trace.moments[at].blocks()), None)
    return (
        trace.tokens[at].type in STATEMENTS | TOP_LEVEL
        and trace.first_on_line(at)
        and block is not None
        and trace.indent(at) > trace.indent(block.statement)
    )


def title(trace: Trace, block: Open) -> str:
    """A block as a person would call it: `stage s1`."""
    keyword, name = trace.tokens[block.statement : block.statement + 2]
    return f"`{keyword} {name}`" if name.type == "NAME" else f"`{keyword}`"


def _closed_too_early(trace: Trace, at: int) -> Iterator[Fix]:
    starts_statement = trace.tokens[at].type in STATEMENTS | {"NAME", "IN", "OUT"}
    if not starts_statement or at == 0 or trace.tokens[at - 1].type != "RBRACE":
        return
    brace = trace.tokens[at - 1]
    block = trace.moments[at - 1].open
    assert block is not None
    note = f"{title(trace, block)} ends here; is this `}}` one too many?"
    mistake = Mistake(
        *trace.tokens[at].extent,
        f"{shown(trace.tokens[at])} stands outside of a net",
        notes=((*brace.extent, note),),
    )
    yield Fix(at - 1, at, (), mistake)


def _missing(trace: Trace, blocks: list[Open], index: int) -> Fix:
    titles = " and ".join(title(trace, block) for block in blocks)
    mistake = Mistake(
        *place(trace, index),
        f"missing `{'}' * len(blocks)}` to close {titles}",
        notes=tuple((*trace.tokens[block.at].extent, "opened here") for block in blocks),
    )
    braces: tuple[Token, ...] = inserted(trace, index, ["RBRACE"] * len(blocks))
    return Fix(index, index, braces, mistake, sure=True)


def _end_by_indent(trace: Trace, block: Open, before: int) -> int | None:
    """The first statement in a block that is indented no deeper than the block itself."""
    for index in range(block.at + 1, before + 1):
        if (
            trace.moments[index].open is block
            and trace.tokens[index].type not in ("RBRACE", END)
            and (index == before or trace.moments[index + 1].statement == index)
            and trace.first_on_line(index)
            and trace.indent(index) <= trace.indent(block.statement)
        ):
            return index
    return None


def _wrongly_closed(trace: Trace, open: list[Open], at: int) -> Iterator[tuple[Open, int]]:
    """Blocks with a brace that is indented less than they are, and where each should have ended."""
    for index in range(at - 1, -1, -1):
        if trace.tokens[index].type != "RBRACE" or not trace.first_on_line(index):
            continue
        block = trace.moments[index].open
        assert block is not None
        if not block.is_block or not any(block.below is outer for outer in open):
            continue
        if trace.indent(index) < trace.indent(block.statement):
            end = _end_by_indent(trace, block, index - 1)
            yield block, index if end is None else end
