"""Named built-in objects, extensible by installed packages.

A package extends a registry with an entry point, such as `[project.entry-points."dagdsl.ops"]` in
its `pyproject.toml`, whose value is one object or a list of objects. Entry points are loaded only
when a name is requested that is not built in, so a file that uses no package does not pay for the
installed ones. `docs/extending.md` explains each step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from dagdsl.errors import UsageError


class Named(Protocol):
    """An object that a registry can hold."""

    @property
    def name(self) -> str:
        """The object's name in the language."""
        ...


T = TypeVar("T", bound=Named)

_NAME = re.compile(r"[^\W\d]\w*")


class Registry(Mapping[str, T], Generic[T]):
    """Name -> object of type `kind`: the built-in ones, and those of the entry points `group`.

    `admit(thing, source)` checks an object from a package and returns the object to store. It
    raises UsageError if the object is invalid. `source` names the package in messages.
    """

    def __init__(
        self, group: str, kind: type[T], builtin: Iterable[T], admit: Callable[[T, str], T]
    ) -> None:
        self.group = group
        self.builtin = {thing.name: thing for thing in builtin}
        self._kind = kind
        self._admit = admit
        self._added: dict[str, T] = {}
        self._loaded = False

    def __getitem__(self, name: str) -> T:
        found = self.builtin.get(name)
        return self._extensions()[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        yield from self.builtin
        yield from self._extensions()

    def __len__(self) -> int:
        return len(self.builtin) + len(self._extensions())

    def register(self, thing: T, source: str = "this program") -> T:
        """Add an object from a running program, such as a notebook. Returns the stored object.

        Raises UsageError if the object is invalid or its name is taken.

        >>> from dagdsl.topology.patterns import PATTERNS, Pattern
        >>> def edges(n, params):
        ...     return [(0, node) for node in range(1, n + 1)] + [(n, n + 1)]
        >>> star = Pattern("star", "`in` feeds every node.", lambda n, params: n + 1, edges)
        >>> PATTERNS.register(star).edges(3, {})
        [(0, 1), (0, 2), (0, 3), (3, 4)]
        >>> PATTERNS.unregister("star")
        """
        self._added[thing.name] = self._checked(thing, source, self._added)
        return self._added[thing.name]

    def unregister(self, name: str) -> None:
        """Remove an object added by `register`."""
        del self._added[name]

    def _extensions(self) -> dict[str, T]:
        if not self._loaded:
            found = dict(self._added)
            for thing, source in self._installed():
                found[thing.name] = self._checked(thing, source, found)
            # Stored only after all have loaded, so that a failing package is reported every time.
            self._added, self._loaded = found, True
        return self._added

    def _installed(self) -> Iterator[tuple[T, str]]:
        """The objects of the entry points, each with its source."""
        from importlib.metadata import entry_points

        for point in sorted(entry_points(group=self.group)):
            source = f"package `{point.dist.name if point.dist else point.value}`"
            try:
                loaded = point.load()
            except Exception as error:
                raise UsageError(
                    f"the entry point `{point.name} = {point.value}` of {source} cannot be "
                    f"loaded: {type(error).__name__}: {error}"
                ) from error
            for thing in loaded if isinstance(loaded, list | tuple) else (loaded,):
                yield thing, source

    def _checked(self, thing: T, source: str, taken: Mapping[str, T]) -> T:
        if not isinstance(thing, self._kind):
            raise UsageError(
                f"{source} adds `{thing!r}` to `{self.group}`, which holds only "
                f"{self._kind.__name__} objects"
            )
        if not _NAME.fullmatch(thing.name):
            raise UsageError(f"`{thing.name}` of {source} is not a valid name")
        if thing.name in self.builtin or thing.name in taken:
            raise UsageError(f"`{thing.name}` of {source} already exists: choose another name")
        return self._admit(thing, source)
