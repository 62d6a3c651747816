"""Repairs for blocks closed too late or too early, found by indentation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dagdsl.syntax.fixes import Mistake, Repair, inserted, place
from dagdsl.syntax.grammar import END, Token
from dagdsl.syntax.problems import quoted
from dagdsl.syntax.trace import STATEMENTS, TOP_LEVEL, OpenBracket, Trace

_SUSPECTS = 3
"""How many blocks to consider that may have been closed by the brace of another block."""


def proposals(trace: Trace, at: int) -> Iterator[Repair]:
    """Propose changes to braces that may repair the mistake at token `at`, likeliest first."""
    blocks = trace.snapshots[at].blocks()
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
    """Whether a statement is in a block that may not contain it, as its indentation intends."""
    block = next(iter(trace.snapshots[at].blocks()), None)
    return (
        trace.tokens[at].type in STATEMENTS | TOP_LEVEL
        and trace.first_on_line(at)
        and block is not None
        and trace.indent(at) > trace.indent(block.statement)
    )


def title(trace: Trace, block: OpenBracket) -> str:
    """Return the name of a block in a message: `stage s1`."""
    keyword, name = trace.tokens[block.statement : block.statement + 2]
    return f"`{keyword} {name}`" if name.type == "NAME" else f"`{keyword}`"


def _closed_too_early(trace: Trace, at: int) -> Iterator[Repair]:
    starts_statement = trace.tokens[at].type in STATEMENTS | {"NAME", "IN", "OUT"}
    if not starts_statement or at == 0 or trace.tokens[at - 1].type != "RBRACE":
        return
    brace = trace.tokens[at - 1]
    block = trace.snapshots[at - 1].open
    assert block is not None
    note = f"{title(trace, block)} ends here; is this `}}` one too many?"
    mistake = Mistake(
        *trace.tokens[at].extent,
        f"{quoted(trace.tokens[at])} is outside a net",
        notes=((*brace.extent, note),),
    )
    yield Repair(at - 1, at, (), mistake)


def _missing(trace: Trace, blocks: list[OpenBracket], index: int) -> Repair:
    titles = " and ".join(title(trace, block) for block in blocks)
    mistake = Mistake(
        *place(trace, index),
        f"missing `{'}' * len(blocks)}` to close {titles}",
        notes=tuple((*trace.tokens[block.at].extent, "opened here") for block in blocks),
    )
    braces: tuple[Token, ...] = inserted(trace, index, ["RBRACE"] * len(blocks))
    return Repair(index, index, braces, mistake, sure=True)


def _end_by_indent(trace: Trace, block: OpenBracket, before: int) -> int | None:
    """Return the first statement in a block that is not indented deeper than the block itself."""
    for index in range(block.at + 1, before + 1):
        if (
            trace.snapshots[index].open is block
            and trace.tokens[index].type not in ("RBRACE", END)
            and (index == before or trace.snapshots[index + 1].statement == index)
            and trace.first_on_line(index)
            and trace.indent(index) <= trace.indent(block.statement)
        ):
            return index
    return None


def _wrongly_closed(
    trace: Trace, open: list[OpenBracket], at: int
) -> Iterator[tuple[OpenBracket, int]]:
    """Yield blocks closed by a brace indented less than they are, and where they should end."""
    for index in range(at - 1, -1, -1):
        if trace.tokens[index].type != "RBRACE" or not trace.first_on_line(index):
            continue
        block = trace.snapshots[index].open
        assert block is not None
        if not block.is_block or not any(block.below is outer for outer in open):
            continue
        if trace.indent(index) < trace.indent(block.statement):
            end = _end_by_indent(trace, block, index - 1)
            yield block, index if end is None else end
