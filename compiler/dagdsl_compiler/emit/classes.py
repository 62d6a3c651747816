"""Bodies of classes -> classes: those of equal structure become one, with arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dagdsl_compiler.emit.code import (
    INDENT,
    ArgCode,
    CallCode,
    Code,
    Hole,
    InstanceCode,
    call,
    docstring,
    fill,
    holes,
    layout,
    literal,
    skeleton,
    spread,
)
from dagdsl_compiler.emit.identifiers import Names, is_attribute, pascal
from dagdsl_compiler.emit.members import keywords

_MAX_PLACES = 4
_SHORT = 2


@dataclass(frozen=True, slots=True)
class Body:
    """A class without its name.

    `members` are the modules it makes, `forward` the lines of the method that applies them; a
    class without `forward` is a pipe. `family` is what must agree, besides the structure, for two
    bodies to be one class. `keys` are those of the routes it records: `routes_key(i)` in `forward`.
    """

    family: str
    members: tuple[tuple[str, Code], ...]
    forward: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    inline: bool = False

    @property
    def skeleton(self) -> Body:
        """The body without the values that may become arguments."""
        members = tuple((name, skeleton(code)) for name, code in self.members)
        return Body(self.family, members, self.forward, ("",) * len(self.keys), self.inline)

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The values that may become arguments."""
        keys = (Hole(f"key_{i}" if i else "key", key) for i, key in enumerate(self.keys))
        return (*keys, *(hole for _, code in self.members for hole in holes(code)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the network a class is used: `what` is there, of which `shape`, and what to know."""

    ir: str
    what: str
    shape: str
    details: tuple[str, ...] = ()


def routes_key(index: int) -> str:
    """The placeholder in a `forward` for the key of its routes, which differs between uses."""
    return f"<key {index}>"


@dataclass(slots=True)
class _Class:
    body: Body
    uses: list[tuple[Hole, ...]] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    name: str = ""


class Classes:
    """All classes of a file. First `use` collects them, then they can be printed."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._labels: dict[Body, int] = {}
        self._classes: list[_Class] = []

    def use(self, body: Body, wish: str, place: Place) -> InstanceCode:
        """An instance of the class with that body; `wish` is the name it would like."""
        label = self._labels.setdefault(body.skeleton, len(self._classes))
        if label == len(self._classes):
            self._classes.append(_Class(body))
        made = self._classes[label]
        made.uses.append(body.holes)
        made.wishes.append(wish)
        made.places.append(place)
        return InstanceCode(label, body.holes)

    def print(self) -> Iterator[list[str]]:
        """The lines of each class, used ones before those that use them."""
        for made in self._classes:
            if not _is_inline(made):
                wish = made.wishes[0] if len({*made.wishes}) == 1 else made.body.family
                made.name = self._names.new(pascal(wish))
        for made in self._classes:
            if made.name:
                yield self._print(made)

    def filled(self, code: Code) -> Code:
        """The code with its holes filled by their own values."""
        return fill(code, iter([literal(hole.value) for hole in holes(code)]), self._instantiate)

    def _instantiate(self, label: int, texts: Sequence[str]) -> Code:
        made = self._classes[label]
        if _is_inline(made):
            return CallCode("Steps", keywords(self._fill(made.body, iter(texts))))
        args = [(name, texts[slot]) for name, slot in _Arguments(made).slots.items()]
        if [name for name, _ in args] == ["channels"]:
            return call(made.name, args[0][1])
        return CallCode(made.name, tuple(ArgCode(text, f"{name}=") for name, text in args))

    def _fill(self, body: Body, texts: Iterator[str]) -> list[tuple[str, Code]]:
        return [(name, fill(code, texts, self._instantiate)) for name, code in body.members]

    def _print(self, made: _Class) -> list[str]:
        body, arguments = made.body, _Arguments(made)
        texts = iter(arguments.texts)
        keys = [next(texts) for _ in body.keys]
        members = self._fill(body, texts)
        formals = "".join(
            f", {name}: {type(made.uses[0][slot].value).__name__}"
            for name, slot in arguments.slots.items()
        )
        lines = [
            f"class {made.name}({'nn.Module' if body.forward else 'Steps'}):",
            *docstring(_describe(made)),
            "",
            f"{INDENT}def __init__(self{formals}) -> None:",
        ]
        if not body.forward:
            pad = INDENT * 2
            return [*lines, f"{pad}super().__init__(", *spread(keywords(members), 3), f"{pad})"]
        lines.append(f"{INDENT * 2}super().__init__()")
        lines += [f"{INDENT * 2}self._{key} = {key}" for key in keys if key in arguments.slots]
        lines += [line for name, code in members for line in assign(name, code)]
        forward = "\n".join(body.forward)
        for index, key in enumerate(keys):
            here = f"self._{key}" if key in arguments.slots else key
            forward = forward.replace(routes_key(index), here)
        return [*lines, "", *forward.split("\n")]


class _Arguments:
    """Which holes of a class are arguments: those whose values differ between its uses.

    Holes that agree in every use are one argument. `slots` maps its name to one of them; `texts`
    are what stands in the holes inside the class.
    """

    def __init__(self, made: _Class) -> None:
        first = made.uses[0]
        columns = [
            (hole.kind, tuple(literal(use[slot].value) for use in made.uses))
            for slot, hole in enumerate(first)
        ]
        sizes = [column for column in columns if column[0] == "channels"]
        varying = dict.fromkeys(column for column in columns if len({*column[1]}) > 1)
        names = Names(["self", "super", "nn", made.name])
        named = {column: names.new(_wish(column, sizes)) for column in varying}
        self.slots = {name: columns.index(column) for column, name in named.items()}
        self.texts = [named.get(column, column[1][0]) for column in columns]


def _wish(column: tuple[str, tuple[str, ...]], sizes: list[tuple[str, tuple[str, ...]]]) -> str:
    if column[0] != "channels" or column == sizes[0] == sizes[-1]:
        return column[0]
    return {sizes[-1]: "out_channels", sizes[0]: "in_channels"}.get(column, "hidden")


def _is_inline(made: _Class) -> bool:
    few = len(made.uses) == 1 or len(made.body.members) <= _SHORT
    return made.body.inline and few


def assign(name: str, code: Code) -> list[str]:
    """The statement of a constructor that makes a module."""
    if is_attribute(name):
        return layout(code, f"self.{name} = ", depth=2)
    return layout(call("self.add_module", literal(name), code), depth=2)


def _describe(made: _Class) -> list[str | tuple[str, ...]]:
    first = made.places[0]
    details = [first.details] if first.details else []
    if len(made.places) == 1:
        return [f"{first.what}: {first.shape}.", *details]
    shapes: dict[str, list[str]] = {}
    for place in made.places:
        shapes.setdefault(place.shape, []).append(place.ir)
    rows = [f"{_some(places)}: {shape}" for shape, places in shapes.items()]
    whats = list(dict.fromkeys(place.what for place in made.places))
    count = f", {len(made.places)} times" if len(whats) == 1 else ""
    return [f"{_some(whats)}{count}.", tuple(rows), *details]


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _MAX_PLACES
    return ", ".join(texts[:_MAX_PLACES]) + (f" and {more} more" if more > 0 else "")
