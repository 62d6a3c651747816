"""An artefact -> how far it is from the model it was made of, in every routing extreme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.export.target import Target
from dagdsl_compiler.inference import InferenceModel
from dagdsl_compiler.model import Model
from dagdsl_compiler.probe import Difference, State, compare, routing_extremes

BATCHES = (1, 3, 20)
"""Sizes that an artefact for any batch size is tried at; one is far above what export was shown."""


_WITH_WEIGHTS = ("call_module", "get_attr")


class Artefact(Protocol):
    """What was built, loaded as its user would."""

    @property
    def replaceable(self) -> frozenset[str]:
        """The weights that can be replaced."""
        ...

    def replace(self, weights: Mapping[str, Tensor]) -> None:
        """Give it other weights."""
        ...

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Outputs and routes, in order."""
        ...


def check(model: Model, target: Target, artefact: Artefact) -> Difference:
    """Compare an artefact with `model`, which is eager: outputs and routes.

    One artefact is driven into all extremes: the weights that make them, biases of routers, are
    replaced in the code as it was compiled. So what is tried is what is shipped, and is compiled
    once. Where routes are pinned, the model is pinned too. Ends with the weights of `model`.
    """
    reference = _Needed(target.model(model) if target.is_pinned else model, target)
    batches = (target.batch,) if target.batch else BATCHES
    driven = _Driven(target.model(model), target, artefact)
    return compare(model.net, reference, driven, with_routes=True, batches=batches)


def moved_weights(model: InferenceModel, target: Target) -> frozenset[str]:
    """The weights of the graph that runs which differ between routing extremes."""
    start = {name: value.clone() for name, value in model.state_dict().items()}
    before = _weights(model, target)
    moved: set[str] = set()
    for _, state in routing_extremes(model.net, start):
        model.load_state_dict(state)
        moved |= _changed(before, _weights(model, target)).keys()
    model.load_state_dict(start)
    return frozenset(moved)


class _Needed(nn.Module):
    """A model, less the routes of graphs that a sample has no need of.

    Outputs and routes are those of the model. Only which graphs a sample skips is asked of the
    graph that is exported, uncompiled: skipping one that is needed changes the outputs.
    """

    def __init__(self, model: Model, target: Target) -> None:
        super().__init__()
        self.model = model
        self._target = target
        self._of = (target.model(model),)  # in a tuple: its weights are copies
        self.train(model.training)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """That of the model."""
        return self.model.state_dict()

    def load_state_dict(self, state: State, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """For both."""
        self.model.load_state_dict(state)
        (plain,) = self._of
        plain.load_state_dict(state)
        self._graph = self._target.graph(plain)

    def forward(self, *inputs: Tensor, return_routes: bool = True) -> tuple[Any, dict[str, Tensor]]:
        """Outputs and routes."""
        outputs, routes = self.model(*inputs, return_routes=True)
        _, there = self._graph(*inputs)
        return outputs, {key: _where_any(there[key], routes[key]) for key in there}


def _where_any(there: Tensor, routes: Tensor) -> Tensor:
    """The routes of samples that have any, zeros for the others: `[B, V, V]`."""
    return torch.where((there != 0).flatten(1).any(1).view(-1, 1, 1), routes, 0)


class _Driven(nn.Module):
    """An artefact as a module that takes the weights of the net."""

    def __init__(self, plain: InferenceModel, target: Target, artefact: Artefact) -> None:
        super().__init__()
        self._of = (plain,)  # in a tuple: its weights are not ours
        self._target = target
        self._artefact = artefact
        self._loaded = _weights(plain, target)

    def load_state_dict(self, state: State, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Prepare the graph anew for these weights, and replace what differs in the artefact."""
        (plain,) = self._of
        plain.load_state_dict(state)
        weights = _weights(plain, self._target)
        changed = _changed(self._loaded, weights)
        there = {name: t for name, t in changed.items() if name in self._artefact.replaceable}
        # An artefact knows a weight by one of its names.
        reached = {tensor.data_ptr() for tensor in there.values()}
        if fixed := [name for name, t in changed.items() if t.data_ptr() not in reached]:
            raise ModelError(f"{', '.join(fixed)} were folded: routes cannot be probed")
        self._artefact.replace(there)
        self._loaded = weights

    def forward(self, *inputs: Tensor, return_routes: bool = True) -> list[Tensor]:
        """Outputs and routes in one list."""
        return self._artefact.run(inputs)


def _weights(model: InferenceModel, target: Target) -> dict[str, Tensor]:
    """The weights that what runs makes use of: those of a folded normalisation are still there.

    By all names they have, as that of a branch and that of the net.
    """
    graph = target.graph(model)
    called = [str(node.target) for node in graph.graph.nodes if node.op in _WITH_WEIGHTS]
    paths = tuple(f"{path}." for path in called)
    weights = graph.state_dict()
    used = {t.data_ptr() for name, t in weights.items() if f"{name}.".startswith(paths)}
    return {name: t for name, t in weights.items() if t.data_ptr() in used}


def _changed(before: State, after: State) -> dict[str, Tensor]:
    return {name: t for name, t in after.items() if not torch.equal(t, before[name])}
