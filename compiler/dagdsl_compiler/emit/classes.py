"""The classes of a `model.py`.

Bodies of equal structure share one class. The values in which they differ become its arguments.
"""

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

_MAX_LISTED = 4
_MAX_INLINE = 2


@dataclass(frozen=True, slots=True)
class Body:
    """The contents of a class, without its name.

    `members` are the modules it makes, and `forward` holds the lines of the method that applies
    them. A class without `forward` applies its members in order. Two bodies share a class only if
    their `family` and their structure agree. `keys` are the keys of the routes that the class
    records; `forward` refers to them as `routes_key(i)`. An `inline` body may be written in place,
    without a class.
    """

    family: str
    members: tuple[tuple[str, Code], ...]
    forward: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    inline: bool = False

    @property
    def skeleton(self) -> Body:
        """The body without the values that may become arguments of its class."""
        members = tuple((name, skeleton(code)) for name, code in self.members)
        return Body(self.family, members, self.forward, ("",) * len(self.keys), self.inline)

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The values that may become arguments of its class."""
        keys = (Hole(f"key_{i}" if i else "key", key) for i, key in enumerate(self.keys))
        return (*keys, *(hole for _, code in self.members for hole in holes(code)))


@dataclass(frozen=True, slots=True)
class ClassUse:
    """One use of a class in the network, for the docstring of the class.

    `label` locates the element, `title` says what it is, and `shape` gives its input and output
    shapes. `details` are further lines.
    """

    label: str
    title: str
    shape: str
    details: tuple[str, ...] = ()


def routes_key(index: int) -> str:
    """The placeholder in `forward` for a routes key, which differs between uses of the class."""
    return f"<key {index}>"


@dataclass(slots=True)
class _EmittedClass:
    body: Body
    holes: list[tuple[Hole, ...]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    uses: list[ClassUse] = field(default_factory=list)
    name: str = ""


class Classes:
    """All classes of a file. Call `use` for every instance before printing them."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._labels: dict[Body, int] = {}
        self._classes: list[_EmittedClass] = []

    def use(self, body: Body, name: str, use: ClassUse) -> InstanceCode:
        """Return an instance of the class with that body.

        The class is called `name` if all its uses agree on it and the name is free.
        """
        label = self._labels.setdefault(body.skeleton, len(self._classes))
        if label == len(self._classes):
            self._classes.append(_EmittedClass(body))
        emitted = self._classes[label]
        emitted.holes.append(body.holes)
        emitted.names.append(name)
        emitted.uses.append(use)
        return InstanceCode(label, body.holes)

    def print(self) -> Iterator[list[str]]:
        """The lines of each class. A class follows the classes that it uses."""
        for emitted in self._classes:
            if not _is_inline(emitted):
                name = emitted.names[0] if len({*emitted.names}) == 1 else emitted.body.family
                emitted.name = self._names.new(pascal(name))
        for emitted in self._classes:
            if emitted.name:
                yield self._print(emitted)

    def filled(self, code: Code) -> Code:
        """The code with each hole filled with its own value."""
        return fill(code, iter([literal(hole.value) for hole in holes(code)]), self._instantiate)

    def _instantiate(self, label: int, texts: Sequence[str]) -> Code:
        emitted = self._classes[label]
        if _is_inline(emitted):
            return CallCode("Steps", keywords(self._fill(emitted.body, iter(texts))))
        args = [(name, texts[slot]) for name, slot in _Arguments(emitted).slots.items()]
        if [name for name, _ in args] == ["channels"]:
            return call(emitted.name, args[0][1])
        return CallCode(emitted.name, tuple(ArgCode(text, f"{name}=") for name, text in args))

    def _fill(self, body: Body, texts: Iterator[str]) -> list[tuple[str, Code]]:
        return [(name, fill(code, texts, self._instantiate)) for name, code in body.members]

    def _print(self, emitted: _EmittedClass) -> list[str]:
        body, arguments = emitted.body, _Arguments(emitted)
        texts = iter(arguments.texts)
        keys = [next(texts) for _ in body.keys]
        members = self._fill(body, texts)
        formals = "".join(
            f", {name}: {type(emitted.holes[0][slot].value).__name__}"
            for name, slot in arguments.slots.items()
        )
        lines = [
            f"class {emitted.name}({'nn.Module' if body.forward else 'Steps'}):",
            *docstring(_describe(emitted)),
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
    """The arguments of a class: the holes whose values differ between its uses.

    Holes that have equal values in every use share an argument. `slots` maps the name of each
    argument to one of its holes. `texts` are the texts of all holes inside the class.
    """

    def __init__(self, emitted: _EmittedClass) -> None:
        first = emitted.holes[0]
        columns = [
            (hole.kind, tuple(literal(use[slot].value) for use in emitted.holes))
            for slot, hole in enumerate(first)
        ]
        sizes = [column for column in columns if column[0] == "channels"]
        varying = dict.fromkeys(column for column in columns if len({*column[1]}) > 1)
        names = Names(["self", "super", "nn", emitted.name])
        named = {column: names.new(_argument_name(column, sizes)) for column in varying}
        self.slots = {name: columns.index(column) for column, name in named.items()}
        self.texts = [named.get(column, column[1][0]) for column in columns]


def _argument_name(
    column: tuple[str, tuple[str, ...]], sizes: list[tuple[str, tuple[str, ...]]]
) -> str:
    if column[0] != "channels" or column == sizes[0] == sizes[-1]:
        return column[0]
    return {sizes[-1]: "out_channels", sizes[0]: "in_channels"}.get(column, "hidden")


def _is_inline(emitted: _EmittedClass) -> bool:
    few = len(emitted.holes) == 1 or len(emitted.body.members) <= _MAX_INLINE
    return emitted.body.inline and few


def assign(name: str, code: Code) -> list[str]:
    """The statement of a constructor that makes the module `name`."""
    if is_attribute(name):
        return layout(code, f"self.{name} = ", depth=2)
    return layout(call("self.add_module", literal(name), code), depth=2)


def _describe(emitted: _EmittedClass) -> list[str | tuple[str, ...]]:
    first = emitted.uses[0]
    details = [first.details] if first.details else []
    if len(emitted.uses) == 1:
        return [f"{first.title}: {first.shape}.", *details]
    shapes: dict[str, list[str]] = {}
    for use in emitted.uses:
        shapes.setdefault(use.shape, []).append(use.label)
    rows = [f"{_some(labels)}: {shape}" for shape, labels in shapes.items()]
    titles = list(dict.fromkeys(use.title for use in emitted.uses))
    count = f", used {len(emitted.uses)} times" if len(titles) == 1 else ""
    return [f"{_some(titles)}{count}.", tuple(rows), *details]


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _MAX_LISTED
    return ", ".join(texts[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
