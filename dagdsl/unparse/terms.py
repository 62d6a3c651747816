"""Terms are what a text says for a value; several of them -> the one they have in common.

A block that is used in several ways appears in the IR once a use, each time expanded. What the uses
have in common is its body; where they differ stands a variable, whose values are the arguments.
So it is with the nodes of an array, which differ by `[16, 24, 32][index]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from dagdsl.ir.nodes import Value
from dagdsl.syntax.wording import KEYWORDS, spelling


class Inexpressible(Exception):
    """No text gives this IR. `str(error)` says why."""


@dataclass(frozen=True, slots=True)
class Lit:
    """A value. `kind` tells 1 from 1.0 and from `true`, which Python takes for the same."""

    value: Value | None
    kind: str


@dataclass(frozen=True, slots=True)
class Var:
    """A name of a formal or a local constant."""

    name: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """`items[index]`: what a node or stage of an array takes from a list."""

    items: Term


@dataclass(frozen=True, slots=True)
class ArgTerm:
    """An argument; one that is `default` need not be written."""

    name: str
    value: Term
    default: bool = False


@dataclass(frozen=True, slots=True)
class CallTerm:
    """An op, a block, a router or a pattern with its arguments."""

    callee: str
    args: tuple[ArgTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A use of a block or router (`kind`) whose arguments are not known yet."""

    kind: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class PipeTerm:
    """Steps, one after the other."""

    steps: tuple[Term, ...]


Term: TypeAlias = Lit | Var | Items | Pick | CallTerm | Mention | PipeTerm
Hole: TypeAlias = Callable[[Sequence[Term], str], Term]
"""What stands where terms differ; the text says what it is about, to give it a name."""


def literal(value: Value | None) -> Lit:
    """A value as a term."""
    return Lit(value, type(value).__name__)


def unify(terms: Sequence[Term], hole: Hole, about: str = "body") -> Term:
    """What terms have in common, with holes where they differ."""
    first = terms[0]
    if all(term == first for term in terms):
        return first
    uses = [term for term in terms if isinstance(term, CallTerm)]
    if len(uses) == len(terms) and len({_shape(use) for use in uses}) == 1:
        slots = list(zip(*(use.args for use in uses), strict=True))
        if not any(_is_none(slot) for slot in slots):
            return CallTerm(uses[0].callee, tuple(_unify_args(slot, hole) for slot in slots))
    pipes = [term for term in terms if isinstance(term, PipeTerm)]
    if len(pipes) == len(terms) and len({len(pipe.steps) for pipe in pipes}) == 1:
        steps = zip(*(pipe.steps for pipe in pipes), strict=True)
        return PipeTerm(tuple(unify(step, hole) for step in steps))
    return hole(terms, about)


def _shape(use: CallTerm) -> tuple[str, ...]:
    return use.callee, *(arg.name for arg in use.args)


def _is_none(slot: Sequence[ArgTerm]) -> bool:
    """Whether values differ and one of them can only be meant by leaving it out."""
    values = [arg.value for arg in slot]
    all_left_out = all(arg.default for arg in slot)
    return not all_left_out and any(isinstance(v, Lit) and v.value is None for v in values)


def _unify_args(slot: Sequence[ArgTerm], hole: Hole) -> ArgTerm:
    first = slot[0]
    if all(arg.default for arg in slot):
        return first
    return ArgTerm(first.name, unify([arg.value for arg in slot], hole, first.name))


@dataclass(slots=True)
class Variables:
    """Names for what differs between the uses of one thing, and the values of each use."""

    taken: set[str]
    values: dict[str, tuple[Term, ...]] = field(default_factory=dict)

    def hole(self, terms: Sequence[Term], about: str) -> Var:
        """A variable; the one there is if another part differs in the same way."""
        values = tuple(terms)
        for name, known in self.values.items():
            if known == values:
                return Var(name)
        name = fresh(about, self.taken)
        self.taken.add(name)
        self.values[name] = values
        return Var(name)

    def unify_rows(self, rows: Sequence[Sequence[Term]]) -> Term:
        """What the nodes of an array have in common, in each of several uses."""
        numbers = [number for number, row in enumerate(rows) for _ in row]

        def hole(terms: Sequence[Term], about: str) -> Term:
            table: list[list[Term]] = [[] for _ in rows]
            for number, term in zip(numbers, terms, strict=True):
                table[number].append(term)
            if len(rows) > 1 and all(all(term == row[0] for term in row) for row in table):
                return self.hole([row[0] for row in table], about)
            longest = max(table, key=len)
            if all(row == longest[: len(row)] for row in table):
                return Pick(Items(tuple(longest)))
            return Pick(self.hole([Items(tuple(row)) for row in table], f"{about}_at"))

        return unify([term for row in rows for term in row], hole)


def fresh(about: str, taken: Iterable[str]) -> str:
    """A name that is not taken."""
    keywords = {spelling(type) for type in KEYWORDS}
    names = (about if number == 1 else f"{about}_{number}" for number in count(1))
    return next(name for name in names if name not in taken and name not in keywords)


def written(term: Term) -> str:
    """A term as it stands in a text."""
    match term:
        case Lit(value):
            return _written_value(value)
        case Var(name):
            return name
        case Items(items):
            return f"[{', '.join(map(written, items))}]"
        case Pick(items):
            return f"{written(items)}[index]"
        case PipeTerm(steps):
            return " |> ".join(map(written, steps))
        case CallTerm(callee, args):
            given = _written_args(args)
            return f"{callee}({given})" if given else callee
        case Mention(_, name):
            return name


def _written_args(args: Sequence[ArgTerm]) -> str:
    """The arguments that must be written; the first one without its name."""
    parts: list[str] = []
    positional = True
    for arg in args:
        positional = positional and not arg.default
        if not arg.default:
            value = written(arg.value)
            parts.append(value if positional and not parts else f"{arg.name} = {value}")
    return ", ".join(parts)


def _written_value(value: Value | None) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case _:
            return repr(value)
