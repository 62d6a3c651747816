"""The modules that hold other modules: nodes, stages, blocks, routers, and arrays of nodes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeGuard

from torch import Tensor, fx, nn

_Body = Callable[..., Tensor]

_running: ContextVar[tuple[nn.Module, _Body] | None] = ContextVar("running", default=None)
"""The scope that `ScopeCall` is calling, and its body."""


class ModuleScope(nn.Module):
    """A node, stage, block, router, edge with steps, or array of nodes (`model.s1.n[0]`).

    The graph of the network calls the modules inside a scope, not the scope itself. It does call
    the scope while hooks are registered on it, so hooks see the input and output of the element.
    """

    if TYPE_CHECKING:
        # Names of the net are attributes, which a type checker cannot know.
        def __getattr__(self, name: str) -> Any: ...

    def __getitem__(self, index: int) -> nn.Module:
        """The node with this index in an array. Raises IndexError if there is none."""
        child = self._modules.get(str(index))
        if child is None:
            raise IndexError(f"there is no module with the index {index}")
        return child

    def __setitem__(self, index: int, module: nn.Module) -> None:
        """Replace the node with this index in an array. Raises IndexError if there is none."""
        self[index]
        setattr(self, str(index), module)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Run the element as part of the model. Raises NotImplementedError outside of it."""
        match _running.get():
            case (scope, body) if scope is self:
                return body(*inputs)
        raise NotImplementedError(
            "a part of a compiled network runs only when the model is called; "
            "register a forward hook to see its input and output"
        )


def is_scope(module: nn.Module) -> TypeGuard[ModuleScope]:
    """Whether a module is a scope made by the compiler, not one that replaced it."""
    return type(module) is ModuleScope and "forward" not in vars(module)


class ScopeCall(nn.Module):
    """Calls a scope like any module, so that its hooks fire, with `body` as its forward.

    `body` is the graph of the scope's steps. It returns their output and the routes of the graphs
    in them, as does the call. Hooks see only the output.
    """

    def __init__(self, scope: ModuleScope, body: fx.GraphModule) -> None:
        super().__init__()
        self.body = body
        # In a tuple: the scope is a child of the model, not of this module.
        self._called = (scope,)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The output of the scope after its hooks, and routes `[B, V, V]` by key."""
        (scope,) = self._called
        routes: dict[str, Tensor] = {}

        def body(*inputs: Tensor) -> Tensor:
            y, found = self.body(*inputs)
            routes.update(found)
            result: Tensor = y
            return result

        token = _running.set((scope, body))
        try:
            result: Any = scope(*inputs)
        finally:
            _running.reset(token)
        return result, routes
