"""A table by name that installed packages may add to: the built-in things, then theirs.

A package adds to it with an entry point, `[project.entry-points."dagdsl.ops"]` in its
`pyproject.toml`, whose value is one thing or several. Entry points are looked up when a name is
asked for that is none of the built-in ones, and not before: a file that needs no package pays
nothing for those that are installed. `docs/extending.md` shows it step by step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from dagdsl.errors import UsageError


class Named(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str:
        """The word in the language."""
        ...


T = TypeVar("T", bound=Named)

_NAME = re.compile(r"[^\W\d]\w*")


class Registry(Mapping[str, T], Generic[T]):
    """Name -> thing of the type `kind`, from the built-in ones and the entry points `group`.

    `admit(thing, source)` checks what a package brings and gives what is to be kept; it raises
    UsageError on what cannot be.
    """

    def __init__(
        self, group: str, kind: type[T], builtin: Iterable[T], admit: Callable[[T, str], T]
    ) -> None:
        self.group = group
        self.builtin = {thing.name: thing for thing in builtin}
        self._kind = kind
        self._admit = admit
        self._added: dict[str, T] = {}
        self._looked = False

    def __getitem__(self, name: str) -> T:
        found = self.builtin.get(name)
        return self._others()[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        yield from self.builtin
        yield from self._others()

    def __len__(self) -> int:
        return len(self.builtin) + len(self._others())

    def register(self, thing: T, source: str = "this program") -> T:
        """Add a thing in a running program, such as a notebook; gives it as it was admitted.

        Raises UsageError if it cannot be, or if its name is taken by another one.
        """
        self._added[thing.name] = self._admitted(thing, source, self._added)
        return self._added[thing.name]

    def unregister(self, name: str) -> None:
        """Take back what was added by `register`."""
        del self._added[name]

    def _others(self) -> dict[str, T]:
        if not self._looked:
            found = dict(self._added)
            for thing, source in self._installed():
                found[thing.name] = self._admitted(thing, source, found)
            # Only now: a package that fails is asked, and reported, again.
            self._added, self._looked = found, True
        return self._added

    def _installed(self) -> Iterator[tuple[T, str]]:
        """What the entry points give, and where from."""
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

    def _admitted(self, thing: T, source: str, taken: Mapping[str, T]) -> T:
        if not isinstance(thing, self._kind):
            raise UsageError(
                f"{source} gives `{thing!r}` to `{self.group}`, which takes {self._kind.__name__}"
            )
        if not _NAME.fullmatch(thing.name):
            raise UsageError(f"`{thing.name}` of {source} is no name of the language")
        if thing.name in self.builtin or thing.name in taken:
            raise UsageError(f"`{thing.name}` of {source} is there already: take another name")
        return self._admit(thing, source)
