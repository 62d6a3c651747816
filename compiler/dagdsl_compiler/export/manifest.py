"""The inputs and results of an artefact: its `model.json`. Read without torch."""

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
"""The files of an artefact that hold weights or describe such files."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Images:
    """How images become the input of a trained net, and what its classes are.

    Pixels from 0 to 1 are normalised with `mean` and `std`, which have one number per channel.
    `centre` is the share of height and width that is kept. `logits` is the output with an entry for
    each of `classes`.
    """

    data: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    centre: float
    logits: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The inputs and results of an artefact, in order, and what it was built from.

    `inputs` and `outputs` map names to shapes without the batch; the taps of a group are named like
    `features.p1`. The routes follow the outputs, `[B, V, V]` each: `routes` maps the key of a graph
    to the names of its `V` nodes. `batch` is the only batch size that the artefact takes, None for
    any. `images` is None without trained weights.
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
        """The names of all results, in order."""
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
                raise UsageError(
                    "the artefact was built by another version of dagdsl: build it again"
                )
            images = content.pop("images")
            return cls(**content, images=None if images is None else Images(**images))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"this is not a model.json of dagdsl build: {error}") from error
