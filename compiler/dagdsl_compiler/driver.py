"""`Net` -> `Model`: the phases of the compiler in their order."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.inference import SUMMARIES, Inference, InferenceModel, Mode
from dagdsl_compiler.lower.modules import build_modules
from dagdsl_compiler.lower.names import names_of
from dagdsl_compiler.lower.pins import Pins, Removed
from dagdsl_compiler.model import Model
from dagdsl_compiler.passes.pipeline import OnPass
from dagdsl_compiler.profile import Profile, pins_from_json, profile

__all__ = [
    "InferenceModel",
    "Mode",
    "Model",
    "Pins",
    "Profile",
    "Removed",
    "compile",
    "pins_from_json",
    "profile",
]


def compile(
    net: Net,
    *,
    mode: Mode = "dense",
    pins: Pins | None = None,
    profile: Profile | None = None,
    backend: str = "inductor",
    device: str | torch.device = "cpu",
    seed: int | None = None,
    on_pass: OnPass | None = None,
) -> Model:
    """Make a network that can be trained, or in another mode than `dense` only evaluated.

    `SUMMARIES` says what the modes are; all give the same results in evaluation. `pins` fix edges
    as open or closed (`{"s1: in -> n[0]": False}`); a `profile` has measured how often they are.
    `seed` fixes the initial weights, the same on every device, and leaves torch's own random state
    as it was; without it they are drawn from that state. `on_pass` is shown the graph as lowered
    and after each pass. The `inductor` backend generates code when the model is first called.

    Raises UsageError for a backend or a mode there is not, for pins or a profile that are not of
    this net or not for this mode.
    """
    _check_choice("backend", backend, BACKENDS)
    _check_choice("mode", mode, SUMMARIES)
    if mode == "dense" and (pins or profile is not None):
        raise UsageError("mode `dense` takes neither pins nor a profile: all others do")
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
        modules = build_modules(net, names_of(net))
    if mode == "dense":
        return Model(net, modules, backend, on_pass).to(device)
    inference = Inference(mode, pins or {}, profile)
    return InferenceModel(net, modules, backend, inference, on_pass).to(device)


def _check_choice(what: str, name: str, choices: Iterable[str]) -> None:
    if name not in choices:
        known = ", ".join(f"`{choice}`" for choice in choices)
        raise UsageError(f"there is no {what} `{name}`; there are {known}")
