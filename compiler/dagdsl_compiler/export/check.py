"""Compares an artefact with the model it was built from, at every routing extreme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dagdsl_compiler.driver import compile
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.export.target import Prepared
from dagdsl_compiler.model import Model
from dagdsl_compiler.probe import (
    BATCH,
    Deviation,
    State,
    compare,
    compare_each,
    routing_extremes,
)

BATCHES = (1, 3, 20)
"""Batch sizes to try with an artefact for any size; one is far above the example's."""


_WITH_WEIGHTS = ("call_module", "get_attr")


class Artefact(Protocol):
    """An artefact, loaded as a user would load it."""

    @property
    def replaceable(self) -> frozenset[str]:
        """The weights that can be replaced."""
        ...

    def replace(self, weights: Mapping[str, Tensor]) -> None:
        """Replace weights."""
        ...

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Outputs and routes, in order."""
        ...


def check(
    model: Model, prepared: Prepared, artefacts: Mapping[str, Artefact]
) -> dict[str, Deviation]:
    """Compare the outputs and routes of artefacts, given by name, with those of an eager `model`.

    To reach all routing extremes, biases of routers are replaced in the compiled artefact. It is
    therefore compiled only once, and the code that is tested is the code that is shipped. If routes
    are pinned, they are pinned in the model too. Restores the weights of `model` at the end.
    """
    batch = prepared.target.batch
    driven = {name: _Driven(prepared, artefact) for name, artefact in artefacts.items()}
    batches = (batch,) if batch else BATCHES
    return compare_each(
        model.net, _reference(model, prepared), driven, with_routes=True, batches=batches
    )


def check_graph(model: Model, prepared: Prepared) -> Deviation:
    """Compare the graph itself with `model`, like `check`."""
    candidate = _Graph(prepared)
    batches = (prepared.target.batch or BATCH,)
    return compare(
        model.net, _reference(model, prepared), candidate, with_routes=True, batches=batches
    )


def moved_weights(prepared: Prepared) -> frozenset[str]:
    """The weights of the executed graph that differ between routing extremes."""
    before = _weights(prepared)
    start = prepared.state()
    *_, (_, state) = routing_extremes(prepared.net, start)
    # In the last extreme all biases are random, so every weight that depends on one differs.
    prepared.load(state)
    moved = _changed(before, _weights(prepared))
    prepared.load(start)
    return frozenset(moved)


def _reference(model: Model, prepared: Prepared) -> _Needed:
    if not prepared.target.is_pinned:
        return _Needed(model, prepared)
    pinned = compile(
        model.net,
        mode=prepared.target.mode,
        pins=prepared.target.pins,
        profile=prepared.target.profile,
        backend="eager",
    )
    pinned.load_state_dict(model.state_dict())
    return _Needed(pinned, prepared)


class _Needed(nn.Module):
    """A model whose routes are zero for graphs that a sample skips, as in an artefact.

    Outputs and other routes are those of the model. The uncompiled graph only tells which graphs a
    sample skips; if it skipped one that is needed, the outputs would differ.
    """

    def __init__(self, model: Model, prepared: Prepared) -> None:
        super().__init__()
        self.model = model
        self._prepared = prepared
        self.train(model.training)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The state dict of the model."""
        return self.model.state_dict()

    def load_state_dict(self, state: State, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Load weights into the model and the prepared graph."""
        self.model.load_state_dict(state)
        self._prepared.load(state)

    def forward(self, *inputs: Tensor, return_routes: bool = True) -> tuple[Any, dict[str, Tensor]]:
        """Outputs and routes."""
        outputs, routes = self.model(*inputs, return_routes=True)
        _, there = self._prepared.graph()(*inputs)
        return outputs, {key: _where_any(there[key], routes[key]) for key in there}


def _where_any(there: Tensor, routes: Tensor) -> Tensor:
    """The routes of samples that have any, zeros for the others: `[B, V, V]`."""
    return torch.where((there != 0).flatten(1).any(1).view(-1, 1, 1), routes, 0)


class _Graph(nn.Module):
    """The prepared graph as a module that takes the weights of the net."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__()
        self._prepared = prepared

    def load_state_dict(self, state: State, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Load weights into the prepared graph."""
        self._prepared.load(state)

    def forward(self, *inputs: Tensor, return_routes: bool = True) -> Any:
        """Outputs and routes."""
        return self._prepared.graph()(*inputs)


class _Driven(nn.Module):
    """An artefact as a module that takes the weights of the net."""

    def __init__(self, prepared: Prepared, artefact: Artefact) -> None:
        super().__init__()
        self._prepared = prepared
        self._artefact = artefact
        self._loaded = _weights(prepared)

    def load_state_dict(self, state: State, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Prepare the graph for these weights, and replace those that differ in the artefact."""
        self._prepared.load(state)
        weights = _weights(self._prepared)
        changed = _changed(self._loaded, weights)
        there = {name: t for name, t in changed.items() if name in self._artefact.replaceable}
        # An artefact knows each weight by only one of its names.
        reached = {tensor.data_ptr() for tensor in there.values()}
        if fixed := [name for name, t in changed.items() if t.data_ptr() not in reached]:
            raise ModelError(f"{', '.join(fixed)} were folded: routes cannot be probed")
        self._artefact.replace(there)
        self._loaded = weights

    def forward(self, *inputs: Tensor, return_routes: bool = True) -> list[Tensor]:
        """Outputs and routes in one list."""
        return self._artefact.run(inputs)


def _weights(prepared: Prepared) -> dict[str, Tensor]:
    """The weights that the graph still uses, without those of folded normalisations.

    A weight has one entry for each of its names, such as its name in a branch and in the net.
    """
    graph = prepared.graph()
    called = [str(node.target) for node in graph.graph.nodes if node.op in _WITH_WEIGHTS]
    paths = tuple(f"{path}." for path in called)
    weights = graph.state_dict()
    used = {t.data_ptr() for name, t in weights.items() if f"{name}.".startswith(paths)}
    return {name: t for name, t in weights.items() if t.data_ptr() in used}


def _changed(before: State, after: State) -> dict[str, Tensor]:
    return {name: t for name, t in after.items() if not torch.equal(t, before[name])}
