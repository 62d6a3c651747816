"""Expressions of the emitted file, and their layout as lines of Python.

An expression may have holes for values. They are filled before it is printed.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from dagdsl_compiler.emit.identifiers import plain

WIDTH: Final = 100
INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class Hole:
    """A value that may become an argument of the enclosing class.

    Holes of different `kind` never share an argument, even if their values agree.
    """

    kind: str
    value: int | float | str


@dataclass(frozen=True, slots=True)
class ArgCode:
    """An argument, with `prefix` `name=` if it has a name; omitted if its text is `default`."""

    code: Code
    prefix: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class CallCode:
    """`callee(args)`; or, with other `brackets`, a list, tuple or dict."""

    callee: str
    args: tuple[ArgCode, ...] = ()
    brackets: str | tuple[str, str] = "()"


@dataclass(frozen=True, slots=True)
class PackedCode:
    """A list or dict of short items; each line holds as many as fit."""

    items: tuple[str, ...]
    brackets: str = "[]"


@dataclass(frozen=True, slots=True)
class ArrayCode:
    """An `nn.ModuleList`. If all items are equal, one is written, with a `for`."""

    items: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class RepeatCode:
    """`item for _ in range(count)`."""

    item: Code
    count: int


@dataclass(frozen=True, slots=True)
class InstanceCode:
    """An instance of the emitted class with index `label`; `holes` are the holes of its body."""

    label: int
    holes: tuple[Hole, ...]


Code: TypeAlias = str | Hole | CallCode | PackedCode | ArrayCode | RepeatCode | InstanceCode
Instantiate: TypeAlias = Callable[[int, Sequence[str]], Code]
"""From the index of a class and the texts of its holes to the call that makes an instance."""


def call(callee: str, *args: Code) -> CallCode:
    """`callee(args)`."""
    return CallCode(callee, tuple(map(ArgCode, args)))


def literal(value: object) -> str:
    """The Python literal of a value.

    Strings are escaped, so that text of a net cannot become code.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    text = repr(value)
    return f'"{text[1:-1]}"' if isinstance(value, str) and '"' not in text else text


def holes(code: Code) -> Iterator[Hole]:
    """All holes of the code, from left to right."""
    match code:
        case Hole():
            yield code
        case CallCode(args=args):
            for arg in args:
                yield from holes(arg.code)
        case ArrayCode(items):
            for item in items:
                yield from holes(item)
        case InstanceCode():
            yield from code.holes


def skeleton(code: Code) -> Code:
    """The code without the values of its holes. Equal structures have equal skeletons."""
    match code:
        case Hole():
            return Hole(code.kind, "")
        case CallCode(callee, args, brackets):
            blank = (ArgCode(skeleton(arg.code), arg.prefix, arg.default) for arg in args)
            return CallCode(callee, tuple(blank), brackets)
        case ArrayCode(items):
            return ArrayCode(tuple(map(skeleton, items)))
        case InstanceCode(label, inner):
            return InstanceCode(label, tuple(Hole(hole.kind, "") for hole in inner))
    return code


def fill(code: Code, texts: Iterator[str], instantiate: Instantiate) -> Code:
    """The code with each hole replaced by the next of `texts`, and each instance by a call."""
    match code:
        case Hole():
            return next(texts)
        case CallCode(callee, args, brackets):
            filled = (
                ArgCode(fill(arg.code, texts, instantiate), arg.prefix, arg.default) for arg in args
            )
            kept = tuple(arg for arg in filled if not arg.default or arg.code != arg.default)
            return CallCode(callee, kept, brackets)
        case ArrayCode(items):
            made = [fill(item, texts, instantiate) for item in items]
            if len(made) > 1 and made.count(made[0]) == len(made):
                return call("nn.ModuleList", RepeatCode(made[0], len(made)))
            return call("nn.ModuleList", CallCode("", tuple(map(ArgCode, made)), "[]"))
        case InstanceCode(label, inner):
            return instantiate(label, [next(texts) for _ in inner])
    return code


def flat(code: Code) -> str:
    """The code on one line. Its holes must be filled."""
    match code:
        case str():
            return code
        case CallCode(callee, args, brackets):
            inner = ", ".join(arg.prefix + flat(arg.code) for arg in args)
            return f"{callee}{brackets[0]}{inner}{brackets[1]}"
        case PackedCode(items, brackets):
            return f"{brackets[0]}{', '.join(items)}{brackets[1]}"
        case RepeatCode(item, count):
            return f"{flat(item)} for _ in range({count})"
    raise AssertionError("code has unfilled holes")


def layout(code: Code, prefix: str = "", suffix: str = "", depth: int = 0) -> list[str]:
    """The lines of `prefix code suffix`, indented `depth` levels, broken as by `ruff format`."""
    pad = INDENT * depth
    line = pad + prefix + flat(code) + suffix
    if len(line) <= WIDTH:
        return [line]
    match code:
        case CallCode(callee, args, brackets) if args:
            head, tail = f"{pad}{prefix}{callee}{brackets[0]}", f"{pad}{brackets[1]}{suffix}"
            inner = flat(CallCode("", args, ("", "")))
            if len(pad + INDENT + inner) <= WIDTH:
                return [head, pad + INDENT + inner, tail]
            return [head, *spread(args, depth + 1), tail]
        case PackedCode(items, brackets):
            head = f"{pad}{prefix}{brackets[0]}"
            return [head, *_pack_lines(items, depth + 1), f"{pad}{brackets[1]}{suffix}"]
        case RepeatCode(item, count):
            return [*layout(item, prefix, "", depth), f"{pad}for _ in range({count})"]
    return [line]


def spread(args: Iterable[ArgCode], depth: int) -> list[str]:
    """The arguments of a call, each on separate lines."""
    args = tuple(args)
    # A generator expression must be the only argument, and allows no trailing comma.
    comma = "" if any(isinstance(arg.code, RepeatCode) for arg in args) else ","
    return [line for arg in args for line in layout(arg.code, arg.prefix, comma, depth)]


def _pack_lines(items: Sequence[str], depth: int) -> Iterator[str]:
    line = INDENT * depth
    for item in items:
        if line.strip() and len(line) + len(item) + 1 > WIDTH:
            yield line.rstrip()
            line = INDENT * depth
        line += f"{item}, "
    yield line.rstrip()


def indent(lines: Iterable[str], depth: int = 1) -> list[str]:
    """The lines, indented by `depth` levels."""
    return [INDENT * depth + line if line else "" for line in lines]


def wrap(text: str, depth: int = 0) -> list[str]:
    """Wrap a paragraph for this depth, and replace what could end a string or a comment."""
    width = WIDTH - len(INDENT) * depth - len('"""')
    return textwrap.wrap(plain(text), width, break_on_hyphens=False)


def docstring(paragraphs: Sequence[str | Sequence[str]], depth: int = 1) -> list[str]:
    """A docstring at this depth. A paragraph given as a sequence keeps its line breaks."""
    lines: list[str] = []
    for part in paragraphs:
        rows = [part] if isinstance(part, str) else part
        lines += [*([""] if lines else []), *(line for row in rows for line in wrap(row, depth))]
    if len(lines) == 1 and len(lines[0]) + 6 + len(INDENT) * depth <= WIDTH:
        return indent([f'"""{lines[0]}"""'], depth)
    return indent([f'"""{lines[0]}', *lines[1:], '"""'], depth)
