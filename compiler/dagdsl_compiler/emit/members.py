"""The members of an emitted class: a tree of modules, with an `nn.ModuleList` for each array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dagdsl_compiler.emit.code import ArgCode, ArrayCode, CallCode, Code, literal
from dagdsl_compiler.emit.identifiers import is_attribute

Tree = dict[str, "Tree | Code"]


@dataclass(slots=True)
class Members:
    """The modules of a class, by their paths relative to it."""

    tree: Tree = field(default_factory=dict)

    def add(self, path: str, code: Code) -> None:
        """Add a module, with the code that makes it."""
        *scopes, name = path.split(".")
        tree = self.tree
        for scope in scopes:
            inner = tree.setdefault(scope, {})
            assert isinstance(inner, dict), f"{path}: {scope} is already a module"
            tree = inner
        tree[name] = code

    def __iter__(self) -> Iterator[tuple[str, Code]]:
        """The name and code of each direct member. A container's code makes its modules."""
        return ((name, _code(code)) for name, code in self.tree.items())

    def sequence(self, paths: Sequence[str]) -> list[str]:
        """The modules at these paths as items of a list. `*self.n` stands for a whole array."""
        items: list[str] = []
        rest = list(paths)
        while rest:
            parent = rest[0].rpartition(".")[0]
            array = [f"{parent}.{name}" for name in self._subtree(parent)] if parent else []
            if array and rest[: len(array)] == array and _is_array(self._subtree(parent)):
                items.append(f"*{self.access(parent)}")
                del rest[: len(array)]
            else:
                items.append(self.access(rest.pop(0)))
        return items

    def _subtree(self, path: str) -> Tree:
        tree: Tree | Code = self.tree
        for name in path.split("."):
            tree = tree.get(name, {}) if isinstance(tree, dict) else {}
        return tree if isinstance(tree, dict) else {}

    def access(self, path: str) -> str:
        """The expression for a module in a method of the class: `self.n[2]`."""
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
    """Modules as keyword arguments; `**{"name": ...}` where the name is not an identifier."""
    return tuple(
        ArgCode(code, f"{name}=")
        if is_attribute(name)
        else ArgCode(CallCode("", (ArgCode(code, f"{literal(name)}: "),), "{}"), "**")
        for name, code in members
    )
