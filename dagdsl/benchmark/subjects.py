"""What is timed: a network on inputs, or a step of its training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dagdsl.benchmark.memory import peak_bytes
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net

Run = Callable[[], object]


def images(net: Net, batch: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Inputs `[B, *shape]`: noise, for images of another colour and contrast for every sample.

    So that routes differ. Images are laid out with channels last, as convolutions want them here.
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
    """Runs the model on some batches, without gradients."""

    @torch.no_grad()
    def run() -> None:
        for batch in batches:
            model(*batch)

    return run


def compiled_evaluation(model: nn.Module, batches: Sequence[tuple[Tensor, ...]]) -> Run:
    """The same for a module that is not ours: compiled with its weights as constants, as ours are.

    It is compiled at once, for the size of these batches.
    """
    import torch._inductor.config

    model.eval().compile(fullgraph=True, dynamic=False)
    run = evaluation(model, batches)
    with torch._inductor.config.patch(freezing=True):
        run()
    return run


class TrainingStep:
    """A step of training: forward, a loss, backward, stochastic gradient descent with momentum.

    The loss is the cross-entropy of the logits (the flat output, or the one named `logits`), or the
    mean of all outputs squared where there are none. It leaves no gradients behind.
    """

    def __init__(self, model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._model, self._inputs = model.train(), inputs
        # So slow that no number grows or vanishes however often the step is run.
        self._optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)

    def __call__(self) -> None:
        """Make a step."""
        loss_of(self._model(*self._inputs)).backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad()

    def peak_bytes(self) -> int:
        """The most bytes that tensors take in a step, weights and momenta included.

        The step must have been run before: the first one compiles, and makes the momenta.
        """
        held = [*self._model.parameters(), *self._model.buffers()]
        for state in self._optimizer.state.values():
            held += [value for value in state.values() if isinstance(value, Tensor)]
        return peak_bytes(self) + sum(tensor.nbytes for tensor in held)


def compiled_step(model: nn.Module, inputs: tuple[Tensor, ...]) -> TrainingStep:
    """The step of a module that is not ours: compiled, as ours are when they are first called."""
    model.compile(fullgraph=True, dynamic=False)
    return TrainingStep(model, inputs)


def loss_of(outputs: Any) -> Tensor:
    """A number that depends on what a network returned."""
    logits = outputs.get("logits") if isinstance(outputs, dict) else outputs
    if isinstance(logits, Tensor) and logits.dim() == 2:
        return F.cross_entropy(logits, torch.arange(len(logits)) % logits.shape[1])
    return torch.stack([x.square().mean() for x in _tensors(outputs)]).mean()


def rival(name: str) -> nn.Module:
    """A model to be compared with, `torchvision:NAME`, with fresh weights, channels last."""
    return rival_builder(name)(weights=None).to(memory_format=torch.channels_last)


def rival_builder(name: str) -> Callable[..., nn.Module]:
    """What makes a rival. Raises UsageError for one that torchvision does not have."""
    source, _, model = name.partition(":")
    if source != "torchvision":
        raise UsageError(f"--against takes torchvision:NAME, not `{name}`")
    import torchvision

    try:
        builder: Callable[..., nn.Module] = torchvision.models.get_model_builder(model)
    except ValueError:
        raise UsageError(
            f"torchvision has no model `{model}`: torchvision.models.list_models() names all"
        ) from None
    return builder


def _tensors(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, dict):
        return [tensor for value in outputs.values() for tensor in _tensors(value)]
    return [outputs]
