"""`Net` -> `Model`: the phases of the compiler in their order."""

from __future__ import annotations

import torch

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.lower.modules import build_modules
from dagdsl_compiler.lower.names import names_of
from dagdsl_compiler.model import Model
from dagdsl_compiler.passes.pipeline import OnPass

__all__ = ["Model", "compile"]


def compile(
    net: Net,
    *,
    backend: str = "inductor",
    device: str | torch.device = "cpu",
    seed: int | None = None,
    on_pass: OnPass | None = None,
) -> Model:
    """Make a network trainable.

    `seed` fixes the initial weights, the same on every device, and leaves torch's own random state
    as it was; without it they are drawn from that state. `on_pass` is shown the graph as lowered
    and after each pass. The `inductor` backend generates code when the model is first called.

    Raises UsageError for a backend there is not.
    """
    if backend not in BACKENDS:
        known = ", ".join(f"`{name}`" for name in BACKENDS)
        raise UsageError(f"there is no backend `{backend}`; there are {known}")
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
        modules = build_modules(net, names_of(net))
    return Model(net, modules, backend, on_pass).to(device)
