"""Callables to be timed: inference and training steps, of our models and of baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dagdsl.benchmark.memory import peak_bytes
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.optional import import_optional
from dagdsl_compiler.torch_private import inductor_config

Run = Callable[[], object]


def random_inputs(net: Net, batch: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Return random inputs of shape `[batch, *shape]`, one for each input of the net.

    Images differ in colour and contrast, so that routes differ between samples. They have the
    memory format channels-last, in which convolutions are fastest on CPUs.
    """
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    inputs = []
    for node in net.inputs:
        x = noise(*node.shape)
        if x.dim() == 4:
            x = x * noise(1, 1, 1).exp() + 2 * noise(x.shape[1], 1, 1)
            x = x.contiguous(memory_format=torch.channels_last)
        inputs.append(x)
    return tuple(inputs)


def evaluation(model: nn.Module, batches: Sequence[tuple[Tensor, ...]]) -> Run:
    """Return a callable that runs the model on all batches, without gradients."""

    @torch.no_grad()
    def run() -> None:
        for batch in batches:
            model(*batch)

    return run


def compiled_evaluation(model: nn.Module, batches: Sequence[tuple[Tensor, ...]]) -> Run:
    """Like `evaluation`, for a baseline: compiled with constant weights, as our models are.

    Compiles immediately, for the size of these batches.
    """

    model.eval().compile(fullgraph=True, dynamic=False)
    run = evaluation(model, batches)
    with inductor_config(freezing=True):
        run()
    return run


class TrainingStep:
    """A training step: forward, loss, backward, stochastic gradient descent with momentum.

    The loss is the cross-entropy of the logits (the only output, or the one named `logits`), or
    without logits the mean square of all outputs. Gradients are cleared at the end.
    """

    def __init__(self, model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._model, self._inputs = model.train(), inputs
        # A tiny learning rate, so that values stay in range however often the step is run.
        self._optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)

    def __call__(self) -> None:
        """Run a step."""
        loss_of(self._model(*self._inputs)).backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad()

    def peak_bytes(self) -> int:
        """Return the peak bytes of tensors in a step, weights and momentum buffers included.

        Run the step once before: the first one compiles and allocates the momentum buffers.
        """
        held = [*self._model.parameters(), *self._model.buffers()]
        for state in self._optimizer.state.values():
            held += [value for value in state.values() if isinstance(value, Tensor)]
        return peak_bytes(self) + sum(tensor.nbytes for tensor in held)


def compiled_step(model: nn.Module, inputs: tuple[Tensor, ...]) -> TrainingStep:
    """Return the training step of a baseline, compiled as our models are."""
    model.compile(fullgraph=True, dynamic=False)
    return TrainingStep(model, inputs)


def loss_of(outputs: Any) -> Tensor:
    """Return a scalar loss of the outputs of a network, without targets."""
    logits = outputs.get("logits") if isinstance(outputs, dict) else outputs
    if isinstance(logits, Tensor) and logits.dim() == 2:
        return F.cross_entropy(logits, torch.arange(len(logits)) % logits.shape[1])
    return torch.stack([x.square().mean() for x in _tensors(outputs)]).mean()


def baseline(name: str) -> nn.Module:
    """Return the baseline model `torchvision:NAME`, untrained, in channels-last format."""
    return baseline_builder(name)(weights=None).to(memory_format=torch.channels_last)


def baseline_builder(name: str) -> Callable[..., nn.Module]:
    """Return the constructor of a baseline. Raises UsageError if torchvision lacks the model."""
    source, _, model = name.partition(":")
    if source != "torchvision":
        raise UsageError(f"a baseline is written torchvision:NAME, not `{name}`")
    models = import_optional("torchvision.models", "a baseline")
    try:
        builder: Callable[..., nn.Module] = models.get_model_builder(model)
    except ValueError:
        raise UsageError(
            f"torchvision has no model `{model}`; torchvision.models.list_models() lists its models"
        ) from None
    return builder


def _tensors(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, dict):
        return [tensor for value in outputs.values() for tensor in _tensors(value)]
    return [outputs]
