"""A model and a split of the data -> loss, accuracy and the use of routes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from dagdsl.data import Split, to_device
from dagdsl.ir.nodes import Net
from dagdsl.training.classifier import as_classifier
from dagdsl.training.routing import RouteCounter, StageRates


@dataclass(frozen=True, slots=True)
class Measurement:
    """Mean loss and accuracy over `samples` images; `stages` by the key of their routes."""

    samples: int
    loss: float
    accuracy: float
    stages: dict[str, StageRates]

    def per_stage(self, rate: str) -> dict[str, float]:
        """One field of `StageRates` for each stage."""
        return {key: getattr(rates, rate) for key, rates in self.stages.items()}


@torch.no_grad()
def measure(
    model: nn.Module, net: Net, split: Split, batch_size: int, device: torch.device
) -> Measurement:
    """Evaluate the model on a split, in float32.

    The loss is the mean cross-entropy in nats, without label smoothing. Sums stay on the device
    until the end.
    """
    classifier = as_classifier(net)
    routes = RouteCounter(net, device)
    loss = torch.zeros((), dtype=torch.double, device=device)
    correct = torch.zeros((), dtype=torch.long, device=device)
    model.eval()
    for batch in split.ordered(batch_size):
        images, labels = to_device(batch, device)
        count = len(labels)
        # A smaller last batch would make a compiled model compile again.
        filled = F.pad(images, (0, 0) * 3 + (0, batch_size - count))
        outputs, adjacency = model(filled, return_routes=True)
        logits = classifier.logits(outputs)[:count]
        loss += F.cross_entropy(logits, labels, reduction="sum")
        correct += (logits.argmax(1) == labels).sum()
        routes.add({key: of_batch[:count] for key, of_batch in adjacency.items()})
    samples = len(split)
    return Measurement(samples, loss.item() / samples, correct.item() / samples, routes.rates())
