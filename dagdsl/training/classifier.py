"""A network as an image classifier: its input, and which output holds the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net, Shape


@dataclass(frozen=True, slots=True)
class Classifier:
    """`output` is the key of the logits in the dict that the model returns; None for a tensor."""

    net: str
    input: Shape
    output: str | None
    classes: int

    def logits(self, outputs: Any) -> Tensor:
        """The logits `[B, classes]` among the outputs of the model."""
        logits: Tensor = outputs if self.output is None else outputs[self.output]
        return logits

    def check_classes(self, names: Sequence[str], data: str) -> None:
        """Raise UsageError unless there is one logit per class."""
        if len(names) != self.classes:
            raise UsageError(
                f"{data} has {len(names)} classes but {self.net} has {self.classes} logits: "
                f"try `--set classes={len(names)}`"
            )


def as_classifier(net: Net) -> Classifier:
    """Find the input and the logits: the one-dimensional output named `logits`, or the only one.

    Raises UsageError if the network has several inputs, or no output that must be the logits.
    """
    if len(net.inputs) != 1:
        raise UsageError(
            f"{net.name} has {len(net.inputs)} inputs: only nets with one input can be trained"
        )
    flat = {
        output.name: net.graph.node(output.value).shape[0]
        for output in net.outputs
        if isinstance(output.value, str) and len(net.graph.node(output.value).shape) == 1
    }
    if not flat:
        raise UsageError(
            f"{net.name} has no one-dimensional output: end a classifier in `gap |> fc(...)`"
        )
    if len(flat) > 1 and "logits" not in flat:
        raise UsageError(
            f"{net.name} has several one-dimensional outputs ({', '.join(flat)}): "
            "name that of the classes `logits`"
        )
    name = "logits" if "logits" in flat else next(iter(flat))
    return Classifier(
        net.name, net.inputs[0].shape, name if len(net.outputs) > 1 else None, flat[name]
    )
