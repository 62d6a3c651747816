"""The graph compiled by TorchInductor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx

from dagdsl_compiler.backends.batched_kernels import inductor_with_batched_kernels
from dagdsl_compiler.backends.toolchain_warmup import warm_up_toolchain
from dagdsl_compiler.passes.base import Pass
from dagdsl_compiler.runtime import aggregate
from dagdsl_compiler.runtime.checkpoint import Checkpointed
from dagdsl_compiler.torch_private import mark_batch_symbolic, recompile_options

NARROW = 8
"""Sums of more values make a graph dense."""

_PATIENCE = 16
_EXACT = 3
# Training and evaluation, gradients or none, number type and memory layout multiply with `_EXACT`.
_RECOMPILES = 64


def inductor(module: fx.GraphModule) -> Callable[..., Any]:
    """`torch.compile` of the graph as one full graph: a graph break is an error.

    The first batch size is compiled for exactly. Another one runs uncompiled until it has come up
    16 times; then it is compiled for as well, up to three sizes, and past these by code for all
    sizes. So the smaller last batch of an epoch costs no compilation (which can take minutes), the
    usual batch gets the fastest code, and a server that sees every size compiles a few times only.
    Torch's own automatic mode compiles at the second size it sees, and from then on takes the code
    for all sizes even where it has exact code. Sizes with and without gradients are counted apart.
    """
    plain = ByBatchSize(module)
    if not is_dense(module):
        return plain
    # Here, for what they import takes a second.
    from dagdsl_compiler.passes.counters import UncountedNorms, count_batch, uncounted
    from dagdsl_compiler.passes.opaque import FanOut, OpaqueGates

    training_graph = for_training(module, (FanOut(), OpaqueGates(), UncountedNorms()))
    training, norms = ByBatchSize(training_graph), uncounted(training_graph)

    def run(*inputs: Tensor) -> Any:
        if not torch.is_grad_enabled() or inputs[0].device.type != "cpu":
            return plain(*inputs)
        count_batch(norms)
        return training(*inputs)

    return run


def is_dense(module: fx.GraphModule) -> bool:
    """Whether a graph has sums of more values than `NARROW`.

    Kernels for sums, gates and counters take most of the time that compiling it for training takes,
    for every node has its own. In other graphs they are few, and the step is faster with them.
    """
    sums = module.graph.find_nodes(op="call_function", target=aggregate.weighted_sum)
    return any(len(node.args[0]) > NARROW for node in sums)


def for_training(module: fx.GraphModule, passes: tuple[Pass, ...]) -> fx.GraphModule:
    """The same graph over the same modules, after some passes that make it compile fast."""
    graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    result = graph.graph_copy(module.graph, copies)
    output = graph.output(result)
    for node, copy in (*copies.items(), (module.graph.output_node(), output)):
        copy.meta.update(node.meta)
    training = fx.GraphModule(module, graph, class_name=type(module).__name__)
    for path, part in list(training.named_modules()):
        if isinstance(part, Checkpointed):
            training.set_submodule(path, Checkpointed(for_training(part.body, passes)))
    for step in passes:
        step.run(training)
    training.graph.lint()
    training.recompile()
    return training


def _compile(forward: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    run = torch.compile(forward, backend=inductor_with_batched_kernels, **options)

    def start(*inputs: Tensor) -> Any:
        if inputs[0].device.type == "cpu":
            warm_up_toolchain(wrapper=False)
        return run(*inputs)

    return start


class ByBatchSize:
    """Chooses by batch size what runs `module`; see `inductor`."""

    def __init__(
        self, module: fx.GraphModule, compile: Callable[..., Callable[..., Any]] = _compile
    ) -> None:
        options = {"fullgraph": True, **recompile_options(_RECOMPILES)}
        self._eager = module
        # Of `forward`: the call of a GraphModule handles errors in ways that hide what they were.
        self._exactly = compile(module.forward, dynamic=False, **options)
        self._symbolically = compile(module.forward, **options)
        self._exact: dict[bool, set[int]] = {False: set(), True: set()}
        self._calls: Counter[tuple[bool, int]] = Counter()

    def __call__(self, *inputs: Tensor) -> Any:
        """Run it on `inputs`, which share their batch size."""
        grad, size = torch.is_grad_enabled(), inputs[0].shape[0]
        exact = self._exact[grad]
        if size not in exact:
            self._calls[grad, size] += 1
            if exact and self._calls[grad, size] <= _PATIENCE:
                return self._eager(*inputs)
            if len(exact) == _EXACT:
                return self._symbolically(*map(_with_symbolic_batch, inputs))
            exact.add(size)
        return self._exactly(*inputs)


def _with_symbolic_batch(x: Tensor) -> Tensor:
    # A view, because the mark stays on the tensor, and that one belongs to the caller.
    x = x.view_as(x)
    mark_batch_symbolic(x)
    return x
