"""Small graphs as single operators that are opaque to the code generator.

The arithmetic of gates works on a few numbers per sample, but routers differ in their number of
edges, so generated code would have separate kernels for each. Running this arithmetic operator by
operator costs microseconds and saves the seconds that building these kernels takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, fx

from dagdsl_compiler.runtime.operators import LIBRARY, define

_GRAPHS: dict[str, fx.GraphModule] = {}


def register(graph: fx.GraphModule) -> str:
    """Register a graph without modules, from tensors to a tuple of tensors; return its key.

    Equal graphs have equal keys in every process, because generated code that is cached on disk
    contains the keys.
    """
    text = "\n".join(map(str, (node.format_node() for node in graph.graph.nodes)))
    key = hashlib.sha256(f"{text}\n{graph.code}".encode()).hexdigest()[:24]
    _GRAPHS[key] = graph
    return key


def opaque(key: str, inputs: list[Tensor]) -> list[Tensor]:
    """The results of the graph of a key, differentiable with respect to `inputs`."""
    results: list[Tensor] = _opaque(key, inputs)
    return results


def _run(key: str, inputs: list[Tensor]) -> list[Tensor]:
    results: tuple[Tensor, ...] = _GRAPHS[key].forward(*inputs)
    return _own(inputs, results)


def _run_backwards(key: str, inputs: list[Tensor], gradients: list[Tensor]) -> list[Tensor]:
    """The gradients of all inputs; `gradients` are those of the outputs in floating point."""
    with torch.enable_grad():
        leaves = [x.detach().requires_grad_(x.is_floating_point()) for x in inputs]
        outputs = [y for y in _GRAPHS[key].forward(*leaves) if y.is_floating_point()]
        pairs = [(y, g) for y, g in zip(outputs, gradients, strict=True) if y.requires_grad]
        wanted = [x for x in leaves if x.requires_grad]
        found: Any = [None] * len(wanted)
        if pairs and wanted:
            reached, arrived = zip(*pairs, strict=True)
            found = torch.autograd.grad(reached, wanted, arrived, allow_unused=True)
    of_wanted = iter(found)
    results = [next(of_wanted) if x.requires_grad else None for x in leaves]
    gradients = [
        torch.zeros_like(x) if g is None else g for x, g in zip(inputs, results, strict=True)
    ]
    return _own(inputs, gradients)


def _own(inputs: list[Tensor], results: Iterable[Tensor]) -> list[Tensor]:
    """Contiguous results that share no memory, as an operator must return them."""
    taken = {x.untyped_storage().data_ptr() for x in inputs}
    owned = []
    for y in map(Tensor.contiguous, results):
        if y.untyped_storage().data_ptr() in taken:
            y = y.clone()
        taken.add(y.untyped_storage().data_ptr())
        owned.append(y)
    return owned


def _shapes(key: str, inputs: list[Tensor]) -> list[Tensor]:
    return [_like(y) for y in _GRAPHS[key].forward(*inputs)]


def _gradient_shapes(key: str, inputs: list[Tensor], gradients: list[Tensor]) -> list[Tensor]:
    return [_like(x) for x in inputs]


def _like(x: Tensor) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


_opaque = define("opaque(str key, Tensor[] inputs) -> Tensor[]", _run, _shapes)
_opaque_gradients = define(
    "opaque_gradients(str key, Tensor[] inputs, Tensor[] gradients) -> Tensor[]",
    _run_backwards,
    _gradient_shapes,
)


def _remember(ctx: Any, inputs: tuple[str, list[Tensor]], output: list[Tensor]) -> None:
    ctx.key, tensors = inputs
    ctx.save_for_backward(*tensors)
    ctx.like = [(y.shape, y.dtype) if y.is_floating_point() else None for y in output]


def _gradients(ctx: Any, gradients: list[Tensor | None]) -> tuple[None, list[Tensor | None]]:
    inputs = list(ctx.saved_tensors)
    arrived = [
        inputs[0].new_zeros(like[0], dtype=like[1]) if g is None else g
        for like, g in zip(ctx.like, gradients, strict=True)
        if like is not None
    ]
    found = _opaque_gradients(ctx.key, inputs, arrived)
    return None, [g if x.is_floating_point() else None for x, g in zip(inputs, found, strict=True)]


torch.library.register_autograd("dagdsl::opaque", _gradients, setup_context=_remember, lib=LIBRARY)
