"""The library's verbs that are more than one import away: `check` and `compile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagdsl.diagnostics.model import Diagnostic
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net

if TYPE_CHECKING:
    import torch

    from dagdsl_compiler.driver import Model


def check(path: str | Path) -> list[Diagnostic]:
    """Everything the front end finds in a `.dg` file, in the order in which it stands there."""
    return analyse_file(Path(path)).diagnostics


def compile(
    net: Net,
    *,
    backend: str = "inductor",
    device: str | torch.device = "cpu",
    seed: int | None = None,
) -> Model:
    """A network as an `nn.Module` with fresh weights.

    `model(x)` takes `[B, *shape]` for each input and gives the net's outputs;
    `model(x, return_routes=True)` also gives the routes, a tensor `[B, V, V]` for each graph with
    routers. `backend` is `inductor` (compiled at the first call) or `eager`; `seed` fixes the
    weights.
    """
    from dagdsl_compiler import driver

    return driver.compile(net, backend=backend, device=device, seed=seed)
