"""Runs a net over a tree of modules: checks inputs, caches programs and explains errors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, fx, nn

from dagdsl.ir.nodes import Net
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.inputs import bind
from dagdsl_compiler.lower.writer import IR, ORIGIN
from dagdsl_compiler.passes.pipeline import OnPass
from dagdsl_compiler.runtime.checkpoint import Checkpointed
from dagdsl_compiler.watch import ModuleWatch

_ANY_BATCH = 2
"""Stands for every batch size above one."""


@dataclass(frozen=True, slots=True)
class Program:
    """A graph and the callable that runs it."""

    graph: fx.GraphModule
    run: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """Identifies a program of a net: whether it returns routes, and whether it takes one sample."""

    routes: bool
    single: bool = False


class Execution(Protocol):
    """How a net is executed: which programs it has, and how each is made."""

    def check(self, inputs: Sequence[Tensor]) -> None:
        """Raise UsageError for inputs that cannot be executed in this way."""
        ...

    def variant(self, batch: int, routes: bool) -> Variant:
        """The variant for a batch size."""
        ...

    def program(
        self,
        net: Net,
        modules: nn.Module,
        variant: Variant,
        hooked: frozenset[str] | None,
        on_pass: OnPass | None,
    ) -> Program:
        """Make a program that runs `net` with the modules in a tree.

        `hooked` are the scopes that have hooks; None if no module of the tree has any. Raises
        UsageError if hooks cannot fire, or the tree lacks a module.
        """
        ...


E = TypeVar("E", bound=Execution)


class Executor(Generic[E]):
    """Executes a net. Each call receives the modules, so a model and its executor can be copied."""

    def __init__(self, net: Net, execution: E) -> None:
        self.net = net
        self.execution = execution
        self._programs: dict[Hashable, Program] = {}
        self._watch: ModuleWatch | None = None

    def run(
        self,
        modules: nn.Module,
        inputs: Sequence[Tensor],
        named: Mapping[str, Tensor],
        routes: bool,
    ) -> Any:
        """Return the outputs for these inputs; with `routes` the pair of outputs and routes.

        Raises InputError, UsageError like `Execution.check`, and ModelError if PyTorch fails. While
        hooks are registered, errors are raised unchanged: explaining them would fire hooks again.
        """
        bound = bind(self.net, inputs, named)
        self.execution.check(bound)
        hooked = self._look(modules)
        program = self._program(modules, bound[0].shape[0], routes, hooked)
        try:
            return program.run(*bound)
        except Exception as error:
            if hooked is not None:
                raise
            raise _explain(error, program.graph, bound) from error

    def graph(
        self, modules: nn.Module, on_pass: OnPass | None = None, *, routes: bool = False
    ) -> fx.GraphModule:
        """The graph for several samples, after all passes."""
        return self._program(modules, _ANY_BATCH, routes, self._look(modules), on_pass).graph

    def forget(self) -> None:
        """Drop all programs. The next call rebuilds them with the weights of that moment."""
        self._programs.clear()

    def __getstate__(self) -> dict[str, Any]:
        # Compiled code cannot be copied, and graphs would refer to the modules of the original.
        return {**self.__dict__, "_programs": {}, "_watch": None}

    def _look(self, modules: nn.Module) -> frozenset[str] | None:
        """Drop the programs if modules were replaced. Return the scopes with hooks, or None."""
        if torch.compiler.is_compiling():
            # The model is compiled as a part of something else, and PyTorch guards its modules.
            return None
        if self._watch is None or self._watch.changed():
            self.forget()
            self._watch = ModuleWatch(modules)
        return self._watch.hooked()

    def _program(
        self,
        modules: nn.Module,
        batch: int,
        routes: bool,
        hooked: frozenset[str] | None,
        on_pass: OnPass | None = None,
    ) -> Program:
        variant = self.execution.variant(batch, routes)
        program = self._programs.get((variant, hooked))
        if program is None:
            program = self.execution.program(self.net, modules, variant, hooked, on_pass)
            self._programs[variant, hooked] = program
        return program


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
