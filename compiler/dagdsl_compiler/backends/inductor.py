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
"""Graphs with a sum of more values are dense."""

_PATIENCE = 16
_EXACT = 3
# `_EXACT` sizes, each in training or evaluation, with or without gradients, in several dtypes
# and memory layouts.
_RECOMPILES = 64


def inductor(module: fx.GraphModule) -> Callable[..., Any]:
    """Compile the graph with `torch.compile` as one full graph: a graph break is an error.

    Code is generated for the first batch size exactly. Another size runs uncompiled 16 times and
    then gets exact code as well, up to three sizes; further sizes share code for any size. So the
    smaller last batch of an epoch costs no compilation, which can take minutes, the usual batch
    size gets the fastest code, and a server that sees every size compiles only a few times.
    Torch's automatic mode compiles for any size when it sees the second one, and from then on uses
    that code even where it has exact code. Sizes with and without gradients are counted separately.
    """
    plain = ByBatchSize(module)
    if not is_dense(module):
        return plain
    # Imported here, because their imports take a second.
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

    In such graphs most of the time to compile a training step goes into kernels for sums, gates and
    counters, because every node has its own. In other graphs these kernels are few, and the step is
    faster with them.
    """
    sums = module.graph.find_nodes(op="call_function", target=aggregate.weighted_sum)
    return any(len(node.args[0]) > NARROW for node in sums)


def for_training(module: fx.GraphModule, passes: tuple[Pass, ...]) -> fx.GraphModule:
    """A copy of the graph over the same modules, after passes that make it compile faster."""
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
    """Chooses exact, symbolic or no compiled code for `module` by batch size; see `inductor`."""

    def __init__(
        self, module: fx.GraphModule, compile: Callable[..., Callable[..., Any]] = _compile
    ) -> None:
        options = {"fullgraph": True, **recompile_options(_RECOMPILES)}
        self._eager = module
        # Compiles `forward`, because calling a GraphModule hides the original error.
        self._exactly = compile(module.forward, dynamic=False, **options)
        self._symbolically = compile(module.forward, **options)
        self._exact: dict[bool, set[int]] = {False: set(), True: set()}
        self._calls: Counter[tuple[bool, int]] = Counter()

    def __call__(self, *inputs: Tensor) -> Any:
        """Run the module on `inputs`, which share their batch size."""
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
    # A view, because the mark stays on the tensor, which belongs to the caller.
    x = x.view_as(x)
    mark_batch_symbolic(x)
    return x
