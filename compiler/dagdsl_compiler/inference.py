"""Networks for evaluation only, which skip the nodes that a sample does not need."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

import torch
from torch import Tensor, fx, nn

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import paths_of
from dagdsl_compiler.backends.catalogue import EVALUATORS
from dagdsl_compiler.errors import InputError
from dagdsl_compiler.executor import Executor, Program, Variant
from dagdsl_compiler.lower.constants import constant_pins
from dagdsl_compiler.lower.pins import Pins, Removed, check_pins, removed_by
from dagdsl_compiler.lower.regions import lower_regions
from dagdsl_compiler.lower.remarks import Remark, note
from dagdsl_compiler.model import Model
from dagdsl_compiler.passes.pipeline import OnPass, evaluation, run_passes
from dagdsl_compiler.plan import BATCH, SINGLE, Choice, choose
from dagdsl_compiler.profile import Profile

Mode: TypeAlias = Literal["dense", "static", "grouped", "branch", "auto"]

MODE_SUMMARIES: Mapping[Mode, str] = {
    "dense": "every node for every sample; trains",
    "static": "without what pinned routes, constant gates and a profile rule out",
    "grouped": "each node on the samples that need it, at any batch size",
    "branch": "each node only if it is needed, one sample at a time",
    "auto": "per node, from a profile: skipped where that pays",
}
"""One line per execution mode. Only `dense` can train; all modes give the same results."""


@dataclass(frozen=True, slots=True)
class Inference:
    """How a network is evaluated: a mode, pinned routes, a profile and a backend.

    The pinned edges are those in `pins`, those whose gate is constant, and in mode `static` those
    that were always or never open in the profile.
    """

    mode: Mode
    pins: Pins = field(default_factory=dict)
    profile: Profile | None = None
    backend: str = "eager"

    def check_net(self, net: Net) -> None:
        """Raise UsageError if the fields contradict each other or do not fit `net`."""
        check_pins(net, self.pins)
        if self.profile is not None:
            choose(net, self.profile, BATCH)
        elif self.mode == "auto":
            raise UsageError("mode `auto` needs a profile: measure one on calibration data")

    def check(self, inputs: Sequence[Tensor]) -> None:
        """Raise UsageError for inputs that require gradients, or several samples for `branch`."""
        if any(x.requires_grad for x in inputs):
            raise UsageError(
                f"mode `{self.mode}` gives no gradients, but an input requires them: "
                'compile with mode="dense"'
            )
        if self.mode == "branch" and inputs[0].shape[0] != 1:
            raise InputError(
                f"mode `branch` takes one sample at a time, got {inputs[0].shape[0]}: "
                'compile with mode="grouped" or mode="auto"'
            )

    def variant(self, batch: int, routes: bool) -> Variant:
        """The variant with branches for one sample, with groups for several."""
        return Variant(routes, self.mode == "branch" or (self.mode == "auto" and batch == 1))

    def program(
        self,
        net: Net,
        modules: nn.Module,
        variant: Variant,
        hooked: frozenset[str] | None,
        on_pass: OnPass | None,
    ) -> Program:
        """A program over copies of the modules. Raises UsageError if modules have hooks."""
        if hooked is not None:
            raise UsageError(
                f"hooks do not fire in mode `{self.mode}`, which runs copies of the modules: "
                'remove them, or compile with mode="dense"'
            )
        generated, skips = self.backend == "inductor", self.skips(net, variant.single)
        graph = self.graph(
            net, modules, variant, on_pass, generated=generated, packed=generated and skips
        )
        return Program(graph, EVALUATORS[self.backend](graph, skips and not variant.single))

    def all_pins(self, net: Net, modules: nn.Module) -> Pins:
        """All pinned edges, given the weights in `modules`; `pins` takes precedence."""
        measured = self.profile.pins() if self.profile and self.mode == "static" else {}
        return {**measured, **constant_pins(net, modules), **self.pins}

    def choices(self, net: Net, single: bool) -> list[Choice]:
        """The decision of mode `auto` on each region, for one sample or for several."""
        assert self.profile is not None
        return choose(net, self.profile, SINGLE if single else BATCH)

    def skipped(self, net: Net, single: bool) -> frozenset[str] | None:
        """The regions that run for some samples only; None for all of them."""
        match self.mode:
            case "grouped" | "branch":
                return None
            case "auto":
                return frozenset(c.region for c in self.choices(net, single) if c.skip)
            case _:
                return frozenset()

    def skips(self, net: Net, single: bool) -> bool:
        """Whether any region runs for some samples only."""
        return self.skipped(net, single) != frozenset()

    @torch.no_grad()
    def graph(
        self,
        net: Net,
        modules: nn.Module,
        variant: Variant,
        on_pass: OnPass | None = None,
        *,
        everywhere: bool = True,
        generated: bool = False,
        packed: bool = False,
    ) -> fx.GraphModule:
        """The graph after all passes, over copies of the modules with their current weights.

        `everywhere`: see `lower_regions`; `generated` and `packed`: see `evaluation`.
        """
        copies = nn.Module()
        for name, child in modules.named_children():
            copies.add_module(name, copy.deepcopy(child))
        copies.eval().requires_grad_(False)
        pins, single = self.all_pins(net, copies), variant.single
        graph = lower_regions(
            net, paths_of(net), copies, routes=variant.routes, pins=pins, everywhere=everywhere
        )
        if self.mode == "auto":
            choices = self.choices(net, single)
            note(graph, "plan", (Remark(c.region, c.skip, c.reason) for c in choices))
        skipped = self.skipped(net, single)
        passes = evaluation(skipped, single=single, generated=generated, packed=packed)
        run_passes(graph, on_pass, passes)
        return graph


class InferenceModel(Model):
    """A network for evaluation only, made by `compile` with a mode other than `dense`.

    It has the children, parameters and outputs of a `Model`, but runs on copies of the modules,
    made at the first call. In these, batch normalisation is folded into the layers before it. With
    the `inductor` backend, weights are constants of the generated code. After `load_state_dict`,
    after `to`, `half` and other conversions, and when modules were replaced, the next call makes
    new copies and compiles again. After changing weights in place, call `refresh()`. A module that
    replaces a node must compute each sample independently of the others in the batch. Hooks cannot
    fire: a call raises UsageError while any are registered.

    >>> import dagdsl, torch
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> trained = dagdsl.compile(net, backend="eager", seed=0).eval()
    >>> model = dagdsl.compile(net, mode="grouped", backend="eager")
    >>> _ = model.load_state_dict(trained.state_dict())
    >>> images = torch.randn(4, 1, 8, 8)
    >>> torch.allclose(model(images), trained(images), atol=1e-5)
    True
    """

    _executor: Executor[Inference]

    def __init__(self, modules: nn.Module, executor: Executor[Inference]) -> None:
        super().__init__(modules, executor)
        super().train(False)

    @property
    def mode(self) -> Mode:
        """The execution mode."""
        return self._executor.execution.mode

    @property
    def removed(self) -> Removed:
        """The parts that pinned routes and constant gates remove, given the current weights."""
        return removed_by(self.net, self._executor.execution.all_pins(self.net, self))

    def refresh(self) -> None:
        """Make the next call use the current weights."""
        self._executor.forget()

    def train(self, mode: bool = True) -> Self:
        """Do nothing for `mode=False`. Raises UsageError for training."""
        if mode:
            raise UsageError(
                f'mode `{self.mode}` only evaluates: compile with mode="dense" to train'
            )
        return super().train(False)

    def forward(self, /, *inputs: Tensor, return_routes: bool = False, **named: Tensor) -> Any:
        """Like `Model.forward`, without gradients.

        Routes are exact for every sample: if they are requested, nodes that contain a routed graph
        run for all samples. Raises UsageError for inputs that require gradients, for modules with
        hooks, and in mode `branch` for more than one sample.
        """
        with torch.no_grad():
            return super().forward(*inputs, return_routes=return_routes, **named)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Like `nn.Module.load_state_dict`; the next call uses the new weights."""
        self.refresh()
        return super().load_state_dict(*args, **kwargs)

    def extra_repr(self) -> str:
        """The name of the net, the backend and the mode."""
        return f"{super().extra_repr()}, mode={self.mode}"

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        self.refresh()
        return super()._apply(*args, **kwargs)  # type: ignore[no-any-return, no-untyped-call]
