"""A compiled network: an `nn.Module` of named children, run through a graph that calls them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import paths_of
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.errors import InputError, ModelError
from dagdsl_compiler.lower.graph import lower
from dagdsl_compiler.lower.writer import IR, ORIGIN
from dagdsl_compiler.passes.pipeline import OnPass, run_passes, training
from dagdsl_compiler.runtime.checkpoint import Checkpointed


@dataclass(frozen=True, slots=True)
class Program:
    """A graph and what runs it."""

    graph: fx.GraphModule
    run: Callable[..., Any]


class Model(nn.Module):
    """A network as a module. `compile` makes it.

    Its children are the modules of the net under the names of the net and nothing else, so the
    keys of `state_dict()` are those of docs/architecture.md. It can be moved, copied, pickled,
    trained and evaluated like any module. The graph holds the very same modules: replacing a child
    by another object does not reach it.
    """

    def __init__(
        self,
        net: Net,
        modules: nn.Module,
        backend: str,
        on_pass: OnPass | None = None,
        checkpoint: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        for name, child in modules.named_children():
            self.add_module(name, child)
        self._net = net
        self._backend = backend
        self._checkpoint = checkpoint
        self._programs: dict[Hashable, Program] = {}
        self._program(routes=False, on_pass=on_pass)

    @property
    def net(self) -> Net:
        """The network in the IR."""
        return self._net

    @property
    def graph(self) -> fx.GraphModule:
        """The graph after all passes, without routes."""
        return self._program(routes=False).graph

    def forward(self, *inputs: Tensor, return_routes: bool = False) -> Any:
        """The outputs of the net: a tensor, or a dict when it has several or a group.

        Inputs are `[B, *shape]` in the order of declaration. With `return_routes` the result is
        the pair of the outputs and the routes: a dict with `[B, V, V]` for each graph that has
        routers, the weight of the edge from node `i` to node `j` at `[b, i, j]`; their gradient
        reaches the routers. The graph with routes is compiled when it is first asked for.

        Raises:
            InputError: the inputs are not as declared.
            ModelError: PyTorch failed at some place of the net.
        """
        self._check(inputs)
        program = self._program_for(inputs, return_routes)
        try:
            return program.run(*inputs)
        except Exception as error:
            raise _explain(error, program.graph, inputs) from error

    def extra_repr(self) -> str:
        """The net's name and the backend."""
        return f"{self._net.name}, backend={self._backend}"

    def __getstate__(self) -> dict[str, Any]:
        # Compiled code cannot be copied, and graphs would keep the modules of the original.
        return {**self.__dict__, "_programs": {}}

    def _program_for(self, inputs: tuple[Tensor, ...], routes: bool) -> Program:
        return self._program(routes)

    def _program(self, routes: bool, on_pass: OnPass | None = None) -> Program:
        if routes not in self._programs:
            graph = lower(self._net, paths_of(self._net), self, routes=routes)
            run_passes(graph, on_pass, training(self._checkpoint))
            self._programs[routes] = Program(graph, BACKENDS[self._backend](graph))
        return self._programs[routes]

    def _check(self, inputs: tuple[Tensor, ...]) -> None:
        declared = self._net.inputs
        if len(inputs) != len(declared):
            names = ", ".join(f"`{node.name}`" for node in declared)
            raise InputError(
                f"expected {len(declared)} input{'s' * (len(declared) != 1)} ({names}), "
                f"got {len(inputs)}"
            )
        for node, x in zip(declared, inputs, strict=True):
            if not isinstance(x, Tensor):
                kind = type(x).__name__
                raise InputError(
                    f"expected a tensor for input `{node.name}`, got a value of `{kind}`"
                )
            if x.dim() != len(node.shape) + 1 or tuple(x.shape[1:]) != node.shape:
                expected = ", ".join(map(str, ("B", *node.shape)))
                got = ", ".join(map(str, x.shape))
                raise InputError(f"expected [{expected}] for input `{node.name}`, got [{got}]")
            if not x.is_floating_point():
                raise InputError(
                    f"expected floating-point numbers for input `{node.name}`, got {x.dtype}"
                )
            if x.shape[0] != inputs[0].shape[0]:
                raise InputError(
                    f"expected one batch size for all inputs, got {inputs[0].shape[0]} for "
                    f"`{declared[0].name}` and {x.shape[0]} for `{node.name}`"
                )


class _Tracer(fx.Interpreter):
    """Runs a graph node by node and remembers the last one it began."""

    at: fx.Node | None = None

    def run_node(self, n: fx.Node) -> Any:
        self.at = n
        return super().run_node(n)

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        called = self.fetch_attr(target)
        if not isinstance(called, Checkpointed):
            return super().call_module(target, args, kwargs)
        inside = _Tracer(called.body, garbage_collect_values=True)
        inside.extra_traceback = False
        try:
            return inside.run(*args)
        finally:
            self.at = inside.at


def _explain(error: Exception, graph: fx.GraphModule, inputs: tuple[Tensor, ...]) -> ModelError:
    """Find the place of an error by running the graph once more, node by node."""
    tracer = _Tracer(graph, garbage_collect_values=True)
    tracer.extra_traceback = False
    try:
        with torch.no_grad():
            tracer.run(*inputs)
    except Exception as found:
        assert tracer.at is not None
        message = str(found).strip() or type(found).__name__
        return ModelError(message, tracer.at.meta[IR], tracer.at.meta[ORIGIN])
    return ModelError(f"{error} (run op by op, the network does not fail)")
