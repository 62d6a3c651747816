"""A model and a target -> the graph to export."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import fx, nn

from dagdsl.errors import UsageError
from dagdsl_compiler.driver import check_choice
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.inference import MODE_SUMMARIES, Inference, Mode
from dagdsl_compiler.lower.pins import Pins, Removed, removed_by
from dagdsl_compiler.model import Model
from dagdsl_compiler.passes.pipeline import OnPass
from dagdsl_compiler.probe import State
from dagdsl_compiler.profile import Profile
from dagdsl_compiler.torch_private import can_mark_unknown, mark_batch_unknown

if TYPE_CHECKING:
    from torch.export import ExportedProgram

_NAMESPACES = ("aten", "mkldnn", "prims")
_EXAMPLE = 5
"""Batch size of the example for exports of any batch size. Nothing may depend on it."""


@dataclass(frozen=True, slots=True)
class Target:
    """How an artefact runs: its execution mode, and the only batch size it takes (None: any).

    Raises UsageError for fields that contradict each other.
    """

    mode: Mode = "dense"
    batch: int | None = None
    pins: Pins = field(default_factory=dict)
    profile: Profile | None = None

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, MODE_SUMMARIES)
        if self.mode == "dense" and (self.pins or self.profile is not None):
            raise UsageError("mode `dense` takes neither pins nor a profile: choose another mode")
        if self.batch is not None and self.batch < 1:
            raise UsageError(f"a batch has at least one sample, not {self.batch}")
        if self.mode == "branch":
            if self.batch not in (None, 1):
                raise UsageError(f"mode `branch` takes one sample at a time, not {self.batch}")
            object.__setattr__(self, "batch", 1)

    @property
    def is_pinned(self) -> bool:
        """Whether the artefact may compute something different from the net."""
        return bool(self.pins) or (self.mode == "static" and self.profile is not None)

    @property
    def inference(self) -> Inference:
        """How the net is executed."""
        return Inference(self.mode, self.pins, self.profile)


class Prepared:
    """Copies of a model's weights, and the graphs over these that a target runs.

    Each graph is made once for the loaded weights. Graphs for the initial weights of the model are
    kept; others are dropped when other weights are loaded.
    """

    def __init__(self, model: Model, target: Target) -> None:
        """Raises UsageError if the target does not fit the net."""
        self.net, self.target = model.net, target
        self.inference = target.inference
        self.inference.check_net(self.net)
        self._modules = nn.Module()
        for name, child in model.named_children():
            self._modules.add_module(name, copy.deepcopy(child))
        self._at_first = {name: x.clone() for name, x in self._modules.state_dict().items()}
        self._first_graphs: dict[bool, fx.GraphModule] = {}
        self._graphs = self._first_graphs

    @property
    def removed(self) -> Removed:
        """The parts that pinned routes and constant gates remove from the net."""
        return removed_by(self.net, self.inference.all_pins(self.net, self._modules))

    def graph(self, *, generated: bool = False, on_pass: OnPass | None = None) -> fx.GraphModule:
        """The graph that runs, with weights folded and routes among the results.

        With `generated`, the graph is for AOTInductor on a CPU: convolutions are packed where
        AOTInductor would not pack them itself. Routes of a graph inside a node are zero for samples
        that skip the node. For a single sample such a node always runs, because PyTorch cannot
        package the constants of a matrix of routes in a branch of a branch. `on_pass` is called
        only if this call makes the graph.
        """
        if generated not in self._graphs:
            batch = self.target.batch
            variant = self.inference.variant(batch or 2, routes=True)
            skips = self.inference.skips(self.net, variant.single)
            self._graphs[generated] = self.inference.graph(
                self.net,
                self._modules,
                variant,
                on_pass,
                everywhere=variant.single,
                generated=generated,
                packed=generated and (batch is None or skips),
            )
        return self._graphs[generated]

    def state(self) -> State:
        """A copy of the loaded weights."""
        return {name: tensor.clone() for name, tensor in self._modules.state_dict().items()}

    def load(self, state: State) -> None:
        """Load other weights, a state dict of the model; `graph` then uses these."""
        if _equal(self._modules.state_dict(), state):
            return
        self._modules.load_state_dict(state)
        self._graphs = self._first_graphs if _equal(self._at_first, state) else {}


def _equal(weights: State, others: State) -> bool:
    return all(torch.equal(tensor, others[name]) for name, tensor in weights.items())


def export(prepared: Prepared, *, generated: bool = False) -> ExportedProgram:
    """Export the graph that runs with `torch.export`; see `Prepared.graph`.

    For any batch size, the size is marked as unknown. A symbolic size does not work: torch then
    assumed that a node runs on at most three times as many samples as the example has.

    Raises ModelError if PyTorch cannot export the graph, and UsageError if running it would need
    more than torch.
    """
    net, target = prepared.net, prepared.target
    if target.batch is None and not can_mark_unknown():
        raise UsageError(
            f"torch {torch.__version__} cannot export for any batch size: give a batch size"
        )
    graph = prepared.graph(generated=generated)
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
    """The operators that torch does not define, so a package could not run with torch alone."""
    targets = {
        node.target
        for module in program.graph_module.modules()
        if isinstance(module, fx.GraphModule)
        for node in module.graph.nodes
    }
    operators = [t for t in targets if isinstance(t, type(torch.ops.aten.add.Tensor))]
    return sorted(str(t) for t in operators if t.namespace not in _NAMESPACES)
