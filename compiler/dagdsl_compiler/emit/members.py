"""Modules by path -> the members of a class: arrays become lists, names in common containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dagdsl_compiler.emit.code import ArgCode, ArrayCode, CallCode, Code, literal
from dagdsl_compiler.emit.identifiers import is_attribute

Tree = dict[str, "Tree | Code"]


@dataclass(slots=True)
class Members:
    """The modules of a class, by their paths in it."""

    tree: Tree = field(default_factory=dict)

    def add(self, path: str, code: Code) -> None:
        """A module and the code that makes it."""
        *scopes, name = path.split(".")
        tree = self.tree
        for scope in scopes:
            inner = tree.setdefault(scope, {})
            assert isinstance(inner, dict), f"{path}: {scope} is a module already"
            tree = inner
        tree[name] = code

    def __iter__(self) -> Iterator[tuple[str, Code]]:
        """The members, containers built."""
        return ((name, _code(code)) for name, code in self.tree.items())

    def sequence(self, paths: Sequence[str]) -> list[str]:
        """The modules of these paths as items of a list: `*self.n` for all of an array."""
        items: list[str] = []
        rest = list(paths)
        while rest:
            parent = rest[0].rpartition(".")[0]
            array = [f"{parent}.{name}" for name in self._tree(parent)] if parent else []
            if array and rest[: len(array)] == array and _is_array(self._tree(parent)):
                items.append(f"*{self.access(parent)}")
                del rest[: len(array)]
            else:
                items.append(self.access(rest.pop(0)))
        return items

    def _tree(self, path: str) -> Tree:
        tree: Tree | Code = self.tree
        for name in path.split("."):
            tree = tree.get(name, {}) if isinstance(tree, dict) else {}
        return tree if isinstance(tree, dict) else {}

    def access(self, path: str) -> str:
        """The expression for a module, in a method of the class."""
        expression, tree = "self", self.tree
        for name in path.split("."):
            if _is_array(tree):
                expression += f"[{name}]"
            elif is_attribute(name):
                expression += f".{name}"
            else:
                expression += f".get_submodule({literal(name)})"
            inner = tree[name]
            tree = inner if isinstance(inner, dict) else {}
        return expression


def _is_array(tree: Tree) -> bool:
    return list(tree) == [str(i) for i in range(len(tree))] and bool(tree)


def _code(tree: Tree | Code) -> Code:
    if not isinstance(tree, dict):
        return tree
    if _is_array(tree):
        return ArrayCode(tuple(map(_code, tree.values())))
    return CallCode("Modules", keywords((name, _code(code)) for name, code in tree.items()))


def keywords(members: Iterable[tuple[str, Code]]) -> tuple[ArgCode, ...]:
    """Modules as keyword arguments."""
    return tuple(
        ArgCode(code, f"{name}=")
        if is_attribute(name)
        else ArgCode(CallCode("", (ArgCode(code, f"{literal(name)}: "),), "{}"), "**")
        for name, code in members
    )
