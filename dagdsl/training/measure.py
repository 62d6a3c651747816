"""A model and a split -> loss, accuracy and how its routes were used."""

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
    """Means over `samples` images; `stages` by the key of their routes."""

    samples: int
    loss: float
    accuracy: float
    stages: dict[str, StageRates]

    def per_stage(self, rate: str) -> dict[str, float]:
        """One field of `StageRates` for every stage."""
        return {key: getattr(rates, rate) for key, rates in self.stages.items()}


@torch.no_grad()
def measure(
    model: nn.Module, net: Net, split: Split, batch_size: int, device: torch.device
) -> Measurement:
    """Run a split through the model in evaluation mode and float32.

    The loss is plain cross-entropy. Sums stay on the device until the end.
    """
    classifier = as_classifier(net)
    routes = RouteCounter(net, device)
    loss = torch.zeros((), dtype=torch.double, device=device)
    correct = torch.zeros((), dtype=torch.long, device=device)
    model.eval()
    for batch in split.ordered(batch_size):
        images, labels = to_device(batch, device)
        count = len(labels)
        # A compiled net would be compiled again for a batch of another size.
        filled = F.pad(images, (0, 0) * 3 + (0, batch_size - count))
        outputs, adjacency = model(filled, return_routes=True)
        logits = classifier.logits(outputs)[:count]
        loss += F.cross_entropy(logits, labels, reduction="sum")
        correct += (logits.argmax(1) == labels).sum()
        routes.add({key: of_batch[:count] for key, of_batch in adjacency.items()})
    samples = len(split)
    return Measurement(samples, loss.item() / samples, correct.item() / samples, routes.rates())
