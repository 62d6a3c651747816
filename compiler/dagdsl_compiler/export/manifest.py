"""What an artefact takes and gives: `model.json` beside it. Read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dagdsl.errors import UsageError

MANIFEST = "model.json"
PACKAGE = "model.pt2"
ONNX = "model.onnx"
FILES = (MANIFEST, PACKAGE, ONNX)
"""What belongs together: files that hold the weights, or say how to use those that do."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Images:
    """How images become the input of a net that was trained on them, and what its classes are.

    Pixels in 0 to 1, of as many colours as `mean` has numbers, less `mean`, divided by `std`, each
    a number a colour. `centre` is the share of height and width that is looked at. `logits` is the
    output that has an entry for each of `classes`.
    """

    data: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    centre: float
    logits: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The order of inputs and results, with their shapes (less the batch), and where they are from.

    `inputs`, `outputs`: name -> shape; the taps of a group are `features.p1`. After the outputs
    come the routes, `[B, V, V]` each: key of a graph -> the names of its `V` nodes. `batch` is the
    one batch size that it takes, None if it takes any. `images` is None without trained weights.
    """

    net: str
    ir_hash: str
    mode: str
    batch: int | None
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]
    routes: Mapping[str, tuple[str, ...]]
    torch: str
    images: Images | None = None

    @property
    def results(self) -> list[str]:
        """The names of all that it returns, in order."""
        return [*self.outputs, *(f"routes.{key}" for key in self.routes)]

    def to_json(self) -> str:
        """The content of a `model.json`."""
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a `model.json`. Raises UsageError on anything else."""
        try:
            content: dict[str, Any] = json.loads(text)
            if content.pop("version") != _VERSION:
                raise UsageError("the artefact was built by another version of dagdsl: build anew")
            images = content.pop("images")
            return cls(**content, images=None if images is None else Images(**images))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"this is no model.json of dagdsl build: {error}") from error
