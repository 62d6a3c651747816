"""A model and how it is to run -> the graph that is exported."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import fx, nn

from dagdsl.errors import UsageError
from dagdsl_compiler.driver import check_choice
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.inference import (
    SUMMARIES,
    Inference,
    InferenceModel,
    Mode,
    graph_that_runs,
)
from dagdsl_compiler.lower.pins import Pins
from dagdsl_compiler.model import Model
from dagdsl_compiler.passes.pipeline import OnPass
from dagdsl_compiler.profile import Profile
from dagdsl_compiler.torch_private import can_mark_unknown, mark_batch_unknown

if TYPE_CHECKING:
    from torch.export import ExportedProgram

_NAMESPACES = ("aten", "mkldnn", "prims")
_EXAMPLE = 5
"""Samples that an export for any batch size is shown. Nothing may depend on it."""


@dataclass(frozen=True, slots=True)
class Target:
    """How an artefact runs: its execution mode, and the one batch size it takes (None: any).

    Raises UsageError for what does not go together.
    """

    mode: Mode = "dense"
    batch: int | None = None
    pins: Pins = field(default_factory=dict)
    profile: Profile | None = None

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, SUMMARIES)
        if self.mode == "dense" and (self.pins or self.profile is not None):
            raise UsageError("mode `dense` takes neither pins nor a profile: all others do")
        if self.batch is not None and self.batch < 1:
            raise UsageError(f"a batch has at least one sample, not {self.batch}")
        if self.mode == "branch":
            if self.batch not in (None, 1):
                raise UsageError(f"mode `branch` takes one sample at a time, not {self.batch}")
            object.__setattr__(self, "batch", 1)

    @property
    def is_pinned(self) -> bool:
        """Whether it may compute something else than the net does."""
        return bool(self.pins) or (self.mode == "static" and self.profile is not None)

    def model(self, model: Model) -> InferenceModel:
        """A copy of `model` that runs so, uncompiled. Raises UsageError: not one for its net."""
        modules = nn.Module()
        for name, child in model.named_children():
            modules.add_module(name, copy.deepcopy(child))
        inference = Inference(self.mode, self.pins, self.profile)
        return InferenceModel(model.net, modules, "eager", inference)

    def graph(
        self, model: InferenceModel, *, generated: bool = False, on_pass: OnPass | None = None
    ) -> fx.GraphModule:
        """What such a copy runs: weights folded, all passes run, routes among the results.

        If code is to be `generated` for it, it is for AOTInductor and a CPU.
        """
        return graph_that_runs(model, self.batch, generated, on_pass)


def export(model: InferenceModel, target: Target, *, generated: bool = False) -> ExportedProgram:
    """`torch.export` of what runs; see `Target.graph`.

    Raises ModelError if PyTorch cannot export it, UsageError if it would take more than torch.

    Where any batch size will do, torch is told that it knows nothing of the size. Given a symbol
    for it instead, it held three times the example's size to be the most samples that a node could
    ever run on.
    """
    if target.batch is None and not can_mark_unknown():
        raise UsageError(
            f"torch {torch.__version__} cannot export for any batch size: give a batch size"
        )
    net, graph = model.net, target.graph(model, generated=generated)
    shapes = [node.shape for node in net.inputs]
    inputs = tuple(torch.randn(target.batch or _EXAMPLE, *shape) for shape in shapes)
    if target.batch is None:
        for x in inputs:
            mark_batch_unknown(x, group="batch")
    try:
        with torch.no_grad():
            program = torch.export.export(graph, inputs, strict=True)
    except Exception as error:
        raise ModelError(f"PyTorch cannot export {net.name}: {error}") from error
    if foreign := _foreign_operators(program):
        raise UsageError(f"{net.name} needs {', '.join(foreign)}, which torch alone does not have")
    return program


def _foreign_operators(program: ExportedProgram) -> list[str]:
    """The operators that are not torch's own: a package would be of no use without ours."""
    targets = {
        node.target
        for module in program.graph_module.modules()
        if isinstance(module, fx.GraphModule)
        for node in module.graph.nodes
    }
    operators = [t for t in targets if isinstance(t, type(torch.ops.aten.add.Tensor))]
    return sorted(str(t) for t in operators if t.namespace not in _NAMESPACES)
