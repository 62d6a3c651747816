"""Detects changes that a user makes to a module tree: replaced modules, and hooks."""

from __future__ import annotations

from itertools import chain

from torch import nn

from dagdsl_compiler.runtime.scope import ModuleScope


class ModuleWatch:
    """A snapshot of a module tree, taken when a graph is made from it.

    `changed` and `hooked` run before each call of a model. They cost about 0.3 us per module.
    """

    def __init__(self, root: nn.Module) -> None:
        named = [(path, module) for path, module in root.named_modules() if path]
        self._modules = [module for _, module in named]
        self._children = [module._modules.values() for module in (root, *self._modules)]
        self._attributes = [vars(module) for module in self._modules]
        self._hooks = [hooks for module in self._modules for hooks in _hooks_of(module)]
        self._scopes = [(path, module) for path, module in named if type(module) is ModuleScope]
        self._tree = self._read_tree()
        self._sizes = self._read_sizes()
        self._patched = self._read_patched()

    def changed(self) -> bool:
        """Whether a module was replaced, added or deleted, or got another class or `forward`."""
        if self._read_tree() != self._tree:
            return True
        sizes = self._read_sizes()
        if sizes == self._sizes:
            return False
        # Most attributes that users add to modules have no effect on the graph.
        self._sizes = sizes
        return self._read_patched() != self._patched

    def hooked(self) -> frozenset[str] | None:
        """The paths of the scopes that have hooks; None if no module of the tree has any."""
        if not any(self._hooks):
            return None
        return frozenset(path for path, scope in self._scopes if any(_hooks_of(scope)))

    # Lists are compared element by element, in C, by identity first: modules have no `==`.

    def _read_tree(self) -> tuple[list[nn.Module | None], list[type]]:
        return list(chain.from_iterable(self._children)), list(map(type, self._modules))

    def _read_sizes(self) -> list[int]:
        return list(map(len, self._attributes))

    def _read_patched(self) -> list[object]:
        return [attributes.get("forward") for attributes in self._attributes]


def _hooks_of(module: nn.Module) -> tuple[object, ...]:
    return (
        module._forward_pre_hooks,
        module._forward_hooks,
        module._backward_pre_hooks,
        module._backward_hooks,
    )
