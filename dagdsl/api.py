"""The library's verbs that are more than one import away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dagdsl.diagnostics.model import Diagnostic
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dagdsl_compiler.driver import Mode, Model, Profile


def check(path: str | Path) -> list[Diagnostic]:
    """Everything the front end finds in a `.dg` file, in the order in which it stands there."""
    return analyse_file(Path(path)).diagnostics


def compile(
    net: Net,
    *,
    mode: Mode = "dense",
    pins: Mapping[str, bool] | None = None,
    profile: Profile | None = None,
    backend: str = "inductor",
    device: str | torch.device = "cpu",
    seed: int | None = None,
    checkpoint: Sequence[str] | Literal["all"] = (),
) -> Model:
    """A network as an `nn.Module` with fresh weights.

    `model(x)` takes `[B, *shape]` for each input and gives the net's outputs;
    `model(x, return_routes=True)` also gives the routes, a tensor `[B, V, V]` for each graph with
    routers. `backend` is `inductor` (compiled at the first call) or `eager`; `seed` fixes the
    weights. Of the stages in `checkpoint` training keeps only what enters and leaves them: less
    memory, for the time of computing the rest again.

    Modes other than `dense` only evaluate, and skip what a sample does not need; all give the same
    results. `static`: without what `pins` (edge -> open?), constant gates and a profile rule out.
    `grouped`: each node on the samples that need it. `branch`: each node only if it is needed, one
    sample at a time. `auto`: per node, from a profile (`dagdsl_compiler.driver.profile`).

    Raises UsageError for what is not of this net or not for this mode.
    """
    from dagdsl_compiler import driver

    return driver.compile(
        net,
        mode=mode,
        pins=pins,
        profile=profile,
        backend=backend,
        device=device,
        seed=seed,
        checkpoint=checkpoint,
    )


def load_torchvision_weights(model: nn.Module, state_dict: Mapping[str, torch.Tensor]) -> None:
    """Copy the weights of a torchvision model into a network of the same architecture.

        model = dagdsl.compile(dagdsl.load("std/models/resnet.dg", net="resnet50"))
        dagdsl.load_torchvision_weights(model, torch.load("resnet50.pth"))

    All of them or none. Raises UsageError naming the first layers that do not fit.
    """
    from dagdsl_compiler import import_weights

    import_weights.load_torchvision_weights(model, state_dict)
