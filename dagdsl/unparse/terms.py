"""Terms, the expressions of a reconstructed text, and their anti-unification.

The IR contains an expanded copy of a block for each use. Anti-unifying the copies recovers the
block: what they have in common is its body, and where they differ stands a variable whose values
are the arguments of the uses. The nodes of an array are treated alike: where they differ stands
`[16, 24, 32][index]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from dagdsl.ir.nodes import Value
from dagdsl.syntax.printer import print_value
from dagdsl.syntax.wording import KEYWORDS, spelling


class Inexpressible(Exception):
    """No text elaborates to this IR. `str(error)` says why."""


@dataclass(frozen=True, slots=True)
class Lit:
    """A value. `kind` distinguishes 1, 1.0 and `true`, which are equal in Python."""

    value: Value | None
    kind: str


@dataclass(frozen=True, slots=True)
class Var:
    """The name of a formal parameter or a local constant."""

    name: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """`items[index]`: the item of a list for a node or stage of an array."""

    items: Term


@dataclass(frozen=True, slots=True)
class ArgTerm:
    """An argument. If `default` is true, the value is the default and can be omitted."""

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
    """Use `number` of a block or router (`kind`), before its arguments are known."""

    kind: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class PipeTerm:
    """Steps, one after the other."""

    steps: tuple[Term, ...]


Term: TypeAlias = Lit | Var | Items | Pick | CallTerm | Mention | PipeTerm
Hole: TypeAlias = Callable[[Sequence[Term], str], Term]
"""Returns the term that stands where terms differ; the string suggests a name for it."""


def literal(value: Value | None) -> Lit:
    """Return a value as a term."""
    return Lit(value, type(value).__name__)


def unify(terms: Sequence[Term], hole: Hole, about: str = "body") -> Term:
    """Anti-unify terms: return what they have in common, with holes where they differ."""
    first = terms[0]
    if all(term == first for term in terms):
        return first
    uses = [term for term in terms if isinstance(term, CallTerm)]
    if len(uses) == len(terms) and len({_shape(use) for use in uses}) == 1:
        slots = list(zip(*(use.args for use in uses), strict=True))
        if not any(_needs_omission(slot) for slot in slots):
            return CallTerm(uses[0].callee, tuple(_unify_args(slot, hole) for slot in slots))
    pipes = [term for term in terms if isinstance(term, PipeTerm)]
    if len(pipes) == len(terms) and len({len(pipe.steps) for pipe in pipes}) == 1:
        steps = zip(*(pipe.steps for pipe in pipes), strict=True)
        return PipeTerm(tuple(unify(step, hole) for step in steps))
    return hole(terms, about)


def _shape(use: CallTerm) -> tuple[str, ...]:
    return use.callee, *(arg.name for arg in use.args)


def _needs_omission(slot: Sequence[ArgTerm]) -> bool:
    """Whether some value is written and another one can only be expressed by omitting it."""
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
    """The variables for the differences between several uses, and their values in each use."""

    taken: set[str]
    values: dict[str, tuple[Term, ...]] = field(default_factory=dict)

    def hole(self, terms: Sequence[Term], about: str) -> Var:
        """Return a variable for `terms`; an existing one if it has the same values."""
        values = tuple(terms)
        for name, known in self.values.items():
            if known == values:
                return Var(name)
        name = fresh_name(about, self.taken)
        self.taken.add(name)
        self.values[name] = values
        return Var(name)

    def unify_rows(self, rows: Sequence[Sequence[Term]]) -> Term:
        """Anti-unify the nodes of an array, of which each use of a block has one row."""
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


def fresh_name(about: str, taken: Iterable[str]) -> str:
    """Return `about`, with a number if necessary, so that it is neither taken nor a keyword."""
    keywords = {spelling(type) for type in KEYWORDS}
    names = (about if number == 1 else f"{about}_{number}" for number in count(1))
    return next(name for name in names if name not in taken and name not in keywords)


def format_term(term: Term) -> str:
    """Return a term in the syntax of the language."""
    match term:
        case Lit(value):
            return print_value(value)
        case Var(name):
            return name
        case Items(items):
            return f"[{', '.join(map(format_term, items))}]"
        case Pick(items):
            return f"{format_term(items)}[index]"
        case PipeTerm(steps):
            return " |> ".join(map(format_term, steps))
        case CallTerm(callee, args):
            given = _format_args(args)
            return f"{callee}({given})" if given else callee
        case Mention(_, name):
            return name


def _format_args(args: Sequence[ArgTerm]) -> str:
    """The arguments that must be written. The first one is positional where possible."""
    parts: list[str] = []
    positional = True
    for arg in args:
        positional = positional and not arg.default
        if not arg.default:
            value = format_term(arg.value)
            parts.append(value if positional and not parts else f"{arg.name} = {value}")
    return ", ".join(parts)
