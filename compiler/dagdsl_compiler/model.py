"""A compiled network: an `nn.Module` of named children, run through a graph that calls them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, fx, nn

from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import paths_of
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.executor import Executor, Program, Variant
from dagdsl_compiler.lower.graph import lower
from dagdsl_compiler.passes.pipeline import OnPass, run_passes, training
from dagdsl_compiler.runtime.scope import ScopeCall


@dataclass(frozen=True, slots=True)
class Dense:
    """Computes every node for every sample, and can train, with checkpointed stages if wanted."""

    backend: str
    checkpoint: tuple[str, ...] = ()

    def check(self, inputs: Sequence[Tensor]) -> None:
        """Accept all inputs."""

    def variant(self, batch: int, routes: bool) -> Variant:
        """One program for all batch sizes."""
        return Variant(routes)

    def program(
        self,
        net: Net,
        modules: nn.Module,
        variant: Variant,
        hooked: frozenset[str] | None,
        on_pass: OnPass | None,
    ) -> Program:
        """The graph over the modules themselves. Hooks fire only if PyTorch runs it op by op."""
        called = hooked or frozenset()
        graph = lower(net, paths_of(net), modules, routes=variant.routes, called=called)
        run_passes(graph, on_pass, training(self.checkpoint))
        for call in graph.modules():
            if isinstance(call, ScopeCall):
                run_passes(call.body, None, training(()))
        backend = self.backend
        if hooked is not None and backend != "eager":
            warnings.warn(
                f"hooks do not fire in code compiled by `{backend}`: "
                "while they are registered, the model runs op by op",
                stacklevel=2,
            )
            backend = "eager"
        return Program(graph, BACKENDS[backend](graph))


class Model(nn.Module):
    """A network as a module, made by `compile`.

    Its children are exactly the modules of the net, under their names in the net, so the keys of
    `state_dict()` are those of docs/architecture.md. It can be moved, copied, pickled, trained and
    evaluated like any module:

    - Nodes, stages, blocks and routers are modules too: `model.s1`, `model.s1.n[0]`. Hooks on them
      fire. The input of a node is its merged value; the output is the result of its steps, before
      samples in which the node is dead are set to zero. An array of nodes, such as `model.s1.n`,
      is never called. Code compiled by `inductor` fires no hooks: while hooks are registered, the
      model runs op by op, and warns about it.
    - A replaced module (`model.s1.n[0] = MyModule()`, `setattr`, parametrisation, quantisation)
      takes effect at the next call; with `inductor`, that call compiles. A module that replaces a
      node, stage, block or router is called with the input of that element. A replaced stage has
      no routes.

    >>> import dagdsl, torch
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> model = dagdsl.compile(net, backend="eager", seed=0)
    >>> model(image=torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """

    _executor: Executor[Any]

    if TYPE_CHECKING:
        # Names of the net are attributes, which a type checker cannot know.
        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, modules: nn.Module, executor: Executor[Any]) -> None:
        super().__init__()
        for name, child in modules.named_children():
            self.add_module(name, child)
        # The only attribute of its own: any other might be the name of a node.
        self._executor = executor

    @property
    def net(self) -> Net:
        """The network in the IR."""
        return self._executor.net

    @property
    def graph(self) -> fx.GraphModule:
        """The graph after all passes, without routes."""
        return self._executor.graph(self)

    def forward(self, /, *inputs: Tensor, return_routes: bool = False, **named: Tensor) -> Any:
        """The outputs of the net: a tensor, or a dict when it has several or a group.

        Inputs are `[B, *shape]`, in the order of declaration or by name: `model(image=x)`. An input
        named `return_routes` can be given by position only. With `return_routes` the result is the
        pair of the outputs and the routes: a dict with a tensor `[B, V, V]` for each graph that has
        routers. Entry `[b, i, j]` is the weight of the edge from node `i` to node `j`. Gradients
        flow through the routes to the routers. The graph with routes is compiled at first use.

        Raises:
            InputError: the inputs do not match their declarations.
            ModelError: PyTorch failed inside the network. While hooks are registered, its error is
                raised unchanged.
        """
        return self._executor.run(self, inputs, named, return_routes)

    def extra_repr(self) -> str:
        """The name of the net and the backend."""
        return f"{self.net.name}, backend={self._executor.execution.backend}"
