"""A network that is only evaluated, and skips what a sample does not need."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

import torch
from torch import Tensor, fx, nn

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import paths_of
from dagdsl_compiler.backends.catalogue import EVALUATORS
from dagdsl_compiler.errors import InputError
from dagdsl_compiler.lower.constants import constant_pins
from dagdsl_compiler.lower.pins import Pins, Removed, check_pins, removed_by
from dagdsl_compiler.lower.regions import lower_regions
from dagdsl_compiler.lower.remarks import Remark, note
from dagdsl_compiler.model import Model, Program
from dagdsl_compiler.passes.pipeline import OnPass, evaluation, run_passes
from dagdsl_compiler.plan import BATCH, SINGLE, Choice, choose
from dagdsl_compiler.profile import Profile

Mode: TypeAlias = Literal["dense", "static", "grouped", "branch", "auto"]

SUMMARIES: Mapping[Mode, str] = {
    "dense": "every node for every sample; trains",
    "static": "without what pinned routes, constant gates and a profile rule out",
    "grouped": "each node on the samples that need it, at any batch size",
    "branch": "each node only if it is needed, one sample at a time",
    "auto": "per node, from a profile: skipped where that pays",
}
"""The execution modes in a line each. All but `dense` only evaluate; all give the same results."""


@dataclass(frozen=True, slots=True)
class Inference:
    """How a network is evaluated: a mode, routes that are pinned, and a profile.

    Pinned are the edges of `pins`, those whose gate is constant, and in the mode `static` those
    that were always or never open in the profile.
    """

    mode: Mode
    pins: Pins = field(default_factory=dict)
    profile: Profile | None = None

    def check(self, net: Net) -> None:
        """Raise UsageError for what does not go together, or not with `net`."""
        check_pins(net, self.pins)
        if self.profile is not None:
            choose(net, self.profile, BATCH)
        elif self.mode == "auto":
            raise UsageError("mode `auto` needs a profile: measure one on calibration data")

    def all_pins(self, net: Net, modules: nn.Module) -> Pins:
        """The edges that are pinned, given the weights in `modules`; `pins` has the last word."""
        measured = self.profile.pins() if self.profile and self.mode == "static" else {}
        return {**measured, **constant_pins(net, modules), **self.pins}

    def choices(self, net: Net, single: bool) -> list[Choice]:
        """What `auto` decides for each region, for one sample or for several."""
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


class InferenceModel(Model):
    """A network for evaluation only. `compile` with a mode other than `dense` makes it.

    Its children, parameters and outputs are those of a `Model`. What runs are copies of them, made
    at the first call, in which batch normalisation is folded into the layers before it and, with
    the `inductor` backend, weights are constants of the generated code. `load_state_dict` and
    whatever moves or converts the module (`to`, `half`, ...) make these copies anew at the next
    call, and it is compiled again; after changing weights in place, call `refresh()`.
    """

    def __init__(
        self,
        net: Net,
        modules: nn.Module,
        backend: str,
        inference: Inference,
        on_pass: OnPass | None = None,
    ) -> None:
        inference.check(net)
        self._inference = inference
        super().__init__(net, modules, backend, on_pass)
        super().train(False)

    @property
    def mode(self) -> Mode:
        """The execution mode."""
        return self._inference.mode

    @property
    def removed(self) -> Removed:
        """What pinned routes and constant gates take out, with the weights as they are now."""
        return removed_by(self.net, self._inference.all_pins(self.net, self))

    def refresh(self) -> None:
        """Take the weights as they are now at the next call."""
        self._programs.clear()

    def train(self, mode: bool = True) -> Self:
        """Nothing to do for evaluation. Raises UsageError for training."""
        if mode:
            raise UsageError(
                f'mode `{self.mode}` only evaluates: compile with mode="dense" to train'
            )
        return super().train(False)

    def forward(self, *inputs: Tensor, return_routes: bool = False) -> Any:
        """As `Model.forward`, without gradients.

        Routes are exact for every sample; with them, nodes that have a routed graph inside run for
        all samples. Raises UsageError for inputs that want gradients, or in the mode `branch` more
        than one sample.
        """
        with torch.no_grad():
            return super().forward(*inputs, return_routes=return_routes)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As `nn.Module.load_state_dict`; the next call takes the new weights."""
        self.refresh()
        return super().load_state_dict(*args, **kwargs)

    def extra_repr(self) -> str:
        """The net's name, the backend and the mode."""
        return f"{super().extra_repr()}, mode={self.mode}"

    def choices(self, batch: int) -> list[Choice]:
        """What mode `auto` decides for each region at a batch size, and why; else nothing."""
        return self._inference.choices(self.net, batch == 1) if self.mode == "auto" else []

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        self.refresh()
        return super()._apply(*args, **kwargs)  # type: ignore[no-any-return, no-untyped-call]

    def _program_for(self, inputs: tuple[Tensor, ...], routes: bool) -> Program:
        return self._evaluation(routes, single=self._is_single(inputs[0].shape[0]))

    def _program(self, routes: bool, on_pass: OnPass | None = None) -> Program:
        return self._evaluation(routes, self._is_single(2), on_pass)

    def _is_single(self, batch: int) -> bool:
        """Whether to branch for one sample rather than group several."""
        return self.mode == "branch" or (self.mode == "auto" and batch == 1)

    def _skips(self, single: bool) -> bool:
        """Whether anything runs for some samples only."""
        return self._inference.skipped(self.net, single) != frozenset()

    def _evaluation(self, routes: bool, single: bool, on_pass: OnPass | None = None) -> Program:
        if (routes, single) not in self._programs:
            generated = self._backend == "inductor"
            packed = generated and self._skips(single)
            self._programs[routes, single] = self._make(
                routes, single, on_pass, generated=generated, packed=packed
            )
        return self._programs[routes, single]

    @torch.no_grad()
    def _make(
        self,
        routes: bool,
        single: bool,
        on_pass: OnPass | None = None,
        *,
        everywhere: bool = True,
        generated: bool = False,
        packed: bool = False,
    ) -> Program:
        modules = nn.Module()
        for name, child in self.named_children():
            modules.add_module(name, copy.deepcopy(child))
        modules.eval().requires_grad_(False)
        net = self.net
        pins = self._inference.all_pins(net, modules)
        skipped = self._inference.skipped(net, single)
        graph: fx.GraphModule = lower_regions(
            net, paths_of(net), modules, routes=routes, pins=pins, everywhere=everywhere
        )
        if self.mode == "auto":
            choices = self._inference.choices(net, single)
            note(graph, "plan", (Remark(c.region, c.skip, c.reason) for c in choices))
        passes = evaluation(skipped, single=single, generated=generated, packed=packed)
        run_passes(graph, on_pass, passes)
        any_batch = not single and self._skips(single)
        return Program(graph, EVALUATORS[self._backend](graph, any_batch))

    def _check(self, inputs: tuple[Tensor, ...]) -> None:
        super()._check(inputs)
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


def graph_that_runs(
    model: InferenceModel,
    batch: int | None,
    generated: bool = False,
    on_pass: OnPass | None = None,
) -> fx.GraphModule:
    """What a model runs for a batch of that size (None: any), routes among its results.

    As it is for AOTInductor, if code is to be `generated` for it: with convolutions packed where
    AOTInductor would not do it by itself.

    Routes of a graph inside a node are zero for samples that skip the node. For a single sample
    such a node runs: PyTorch cannot package the constants of a matrix of routes in a branch of a
    branch. It has the weights of now, folded. No method: nodes of nets may have any name.
    """
    single = model._is_single(batch or 2)
    packed = generated and (batch is None or model._skips(single))
    return model._make(
        True, single, on_pass, everywhere=single, generated=generated, packed=packed
    ).graph
