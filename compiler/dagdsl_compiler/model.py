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
    """Every node for every sample. It can train, with the activations of some stages recomputed."""

    backend: str
    checkpoint: tuple[str, ...] = ()

    def check(self, inputs: Sequence[Tensor]) -> None:
        """All inputs will do."""

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
        """The graph over the modules themselves. Hooks fire only where PyTorch runs it op by op."""
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
    """A network as a module. `compile` makes it.

    Its children are the modules of the net under the names of the net and nothing else, so the
    keys of `state_dict()` are those of docs/architecture.md. It can be moved, copied, pickled,
    trained and evaluated like any module:

    - Nodes, stages, blocks and routers are modules too: `model.s1`, `model.s1.n[0]`. Hooks on them
      fire, with what a node merged as the input and what its steps computed as the output, before
      zeros are put in the place of samples in which the node is dead. An array of nodes, such as
      `model.s1.n`, is never called. Code compiled by `inductor` fires no hooks: while hooks are
      registered, the model runs op by op, and warns of it.
    - A module that was replaced (`model.s1.n[0] = MyModule()`, `setattr`, parametrisations,
      quantisation) counts from the next call on; with `inductor`, that call compiles. In the place
      of a node, stage, block or router it is called with what the element would read. A stage that
      was replaced has no routes.

    >>> import dagdsl, torch
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> model = dagdsl.compile(net, backend="eager", seed=0)
    >>> model(image=torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """

    _executor: Executor[Any]

    if TYPE_CHECKING:
        # Any of the names of the net, which a type checker cannot know.
        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, modules: nn.Module, executor: Executor[Any]) -> None:
        super().__init__()
        for name, child in modules.named_children():
            self.add_module(name, child)
        # All else that the model knows: any other attribute could be the name of a node.
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
        called `return_routes` can be given by position only. With `return_routes` the result is
        the pair of the outputs and the routes: a dict with `[B, V, V]` for each graph that has
        routers, the weight of the edge from node `i` to node `j` at `[b, i, j]`; their gradient
        reaches the routers. The graph with routes is compiled when it is first asked for.

        Raises:
            InputError: the inputs are not as declared.
            ModelError: PyTorch failed at some place of the net. While hooks are registered, its
                error is raised unchanged.
        """
        return self._executor.run(self, inputs, named, return_routes)

    def extra_repr(self) -> str:
        """The net's name and the backend."""
        return f"{self.net.name}, backend={self._executor.execution.backend}"
