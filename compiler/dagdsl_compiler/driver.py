"""`Net` -> `Model`: the phases of the compiler in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import paths_of
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.executor import Executor
from dagdsl_compiler.inference import MODE_SUMMARIES, Inference, InferenceModel, Mode
from dagdsl_compiler.lower.modules import build_modules
from dagdsl_compiler.lower.pins import Pins, Removed
from dagdsl_compiler.lower.remarks import Remark, StepRemarks, explain
from dagdsl_compiler.model import Dense, Model
from dagdsl_compiler.passes.pipeline import OnPass
from dagdsl_compiler.profile import Profile, pins_from_json, profile

__all__ = [
    "InferenceModel",
    "Mode",
    "Model",
    "Pins",
    "Profile",
    "Remark",
    "Removed",
    "StepRemarks",
    "compile",
    "explain",
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
    checkpoint: Sequence[str] | Literal["all"] = (),
    on_pass: OnPass | None = None,
) -> Model:
    """Compile a network: trainable in mode `dense`, for evaluation only in the other modes.

    `MODE_SUMMARIES` describes the modes; all give the same results in evaluation. `pins` fix edges
    as open or closed (`{"s1: in -> n[0]": False}`). `profile` says how often edges are open.
    `seed` determines the initial weights, the same on every device, and leaves torch's random state
    unchanged; without it the weights are drawn from that state. Training keeps only the inputs and
    outputs of the stages in `checkpoint`, and recomputes the rest in the backward pass. `on_pass`
    is called with the graph as lowered and after each pass; `explain(model.graph)` returns the
    remarks of the passes. The `inductor` backend generates code when the model is first called.

    Raises UsageError for an unknown backend, mode or stage, and for pins or a profile that do not
    belong to this network or mode.
    """
    check_choice("backend", backend, BACKENDS)
    check_choice("mode", mode, MODE_SUMMARIES)
    if mode == "dense" and (pins or profile is not None):
        raise UsageError("mode `dense` takes neither pins nor a profile: choose another mode")
    stages = _stages(net, checkpoint)
    if stages and mode != "dense":
        raise UsageError(f"mode `{mode}` has no backward pass, so there is nothing to checkpoint")
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
        modules = build_modules(net, paths_of(net))
    model: Model
    if mode == "dense":
        model = Model(modules, Executor(net, Dense(backend, stages)))
    else:
        inference = Inference(mode, pins or {}, profile, backend)
        inference.check_net(net)
        model = InferenceModel(modules, Executor(net, inference))
    model.to(device)
    # Other modes copy the weights, so build their graph later: weights are usually loaded first.
    if on_pass is not None or mode == "dense":
        model._executor.graph(model, on_pass)
    return model


def eager_copy(model: Model) -> Model:
    """Return a trainable eager model of the same net with the same weights.

    Raises UsageError if modules were replaced, because the net does not describe the new ones.
    """
    copied = compile(model.net, backend="eager", seed=0)
    there = dict(model.named_modules())
    replaced = [
        path
        for path, module in copied.named_modules()
        if path and (type(there.get(path)) is not type(module) or "forward" in vars(there[path]))
    ]
    if replaced:
        raise UsageError(
            f"`{replaced[0]}` of the model was replaced: only what the net describes can be built"
        )
    copied.load_state_dict(model.state_dict())
    return copied


def _stages(net: Net, chosen: Sequence[str] | Literal["all"]) -> tuple[str, ...]:
    """The names of the chosen stages, in the order of the net."""
    names = [stage.name for stage in net.stages]
    if chosen == "all":
        if not names:
            raise UsageError(f"`{net.name}` has no stages to checkpoint")
        return tuple(names)
    for name in chosen:
        check_choice("stage", name, names)
    return tuple(name for name in names if name in chosen)


def check_choice(what: str, name: str, choices: Iterable[str]) -> None:
    """Raise UsageError if `name` is not among `choices`; `what` is their kind, in words."""
    if name not in choices:
        known = ", ".join(f"`{choice}`" for choice in choices) or "none"
        raise UsageError(f"there is no {what} `{name}`; there are {known}")
