"""Run an emitted `model.py`, and compare it with the compiled network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from dagdsl.ir.nodes import Net
from dagdsl_compiler import driver
from dagdsl_compiler.emit import emit_source
from dagdsl_compiler.emit.load import load_source

BATCH = 3


def run_source(net: Net) -> nn.Module:
    """The network in the text that `emit_source` returns."""
    return load_source(emit_source(net))


def batch(net: Net, dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = [torch.randn(BATCH, *node.shape, generator=generator) for node in net.inputs]
    return [image.to(dtype) for image in images]


def pair(net: Net, backend: str = "eager") -> tuple[nn.Module, nn.Module]:
    """The compiled and the emitted network, with the same random state."""
    compiled, emitted = driver.compile(net, backend=backend, seed=0), run_source(net)
    generator = torch.Generator().manual_seed(2)
    state = compiled.state_dict()
    for value in state.values():
        if value.is_floating_point():
            # Zeros and ones would hide wrong wiring. Variances stay positive.
            value.add_(torch.rand(value.shape, generator=generator) * 0.5)
    assert list(emitted.state_dict()) == list(state)
    emitted.load_state_dict(state)
    return compiled, emitted


def assert_same(
    net: Net,
    backend: str = "eager",
    dtype: torch.dtype = torch.float64,
    tolerance: float = 1e-9,
    modes: tuple[bool, ...] = (True, False),
) -> None:
    """Check that outputs, routes, gradients and running statistics agree.

    `modes` are the values of `training` to check. The default is float64, in which gradients
    summed in another order differ very little.
    """
    compiled, emitted = (model.to(dtype) for model in pair(net, backend))
    inputs = batch(net, dtype)
    for train in modes:
        results = []
        for model in (compiled, emitted):
            model.train(train)
            model.zero_grad()
            results.append(_run(model, inputs))
        assert_close(results[1], results[0], equal_nan=True, rtol=tolerance, atol=tolerance)
        buffers = [dict(model.named_buffers()) for model in (emitted, compiled)]
        assert_close(*buffers, equal_nan=True, rtol=tolerance, atol=tolerance)


def _run(model: nn.Module, inputs: list[Tensor]) -> dict[str, Any]:
    torch.manual_seed(3)
    plain = model(*inputs)
    torch.manual_seed(3)
    outputs, routes = model(*inputs, return_routes=True)
    leaves: list[Tensor] = []
    torch.utils._pytree.tree_map(leaves.append, (outputs, routes))
    # A loss of bounded slope, because the features of a random net may be huge.
    losses = [torch.log1p(leaf * leaf).sum() for leaf in leaves if leaf.requires_grad]
    total = torch.stack(losses).sum()
    torch.autograd.backward(total)
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {"plain": plain, "outputs": outputs, "routes": routes, "gradients": gradients}
