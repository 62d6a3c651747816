"""A net seen as an image classifier: its one input and which of its outputs is the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net, Shape


@dataclass(frozen=True, slots=True)
class Classifier:
    """`output` is the key of the logits among what the net returns, None if they are all of it."""

    net: str
    input: Shape
    output: str | None
    classes: int

    def logits(self, outputs: Any) -> Tensor:
        """Of what the model returned, the logits `[B, classes]`."""
        logits: Tensor = outputs if self.output is None else outputs[self.output]
        return logits

    def check_classes(self, names: Sequence[str], data: str) -> None:
        """Raises UsageError unless there is a logit for every class."""
        if len(names) != self.classes:
            raise UsageError(
                f"{data} has {len(names)} classes but {self.net} gives {self.classes} logits: "
                f"try `--set classes={len(names)}`"
            )


def as_classifier(net: Net) -> Classifier:
    """Find input and logits: the flat output named `logits`, or the only flat one.

    Raises UsageError for several inputs, and where no output or no single one can be meant.
    """
    if len(net.inputs) != 1:
        raise UsageError(f"{net.name} has {len(net.inputs)} inputs: only nets with one can train")
    flat = {
        output.name: net.graph.node(output.value).shape[0]
        for output in net.outputs
        if isinstance(output.value, str) and len(net.graph.node(output.value).shape) == 1
    }
    if not flat:
        raise UsageError(f"{net.name} has no flat output: a classifier ends in `gap |> fc(...)`")
    if len(flat) > 1 and "logits" not in flat:
        raise UsageError(f"{net.name} has the flat outputs {', '.join(flat)}: name one `logits`")
    name = "logits" if "logits" in flat else next(iter(flat))
    return Classifier(
        net.name, net.inputs[0].shape, name if len(net.outputs) > 1 else None, flat[name]
    )
