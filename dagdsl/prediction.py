"""A built artefact and image files -> the class of each image, and the routes it took.

It imports torch and little else: what that takes is what a user waits for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dagdsl.data.image import centre_box, open_image, pixels_of, resize
from dagdsl.errors import UsageError
from dagdsl.files import read_text
from dagdsl_compiler.export.manifest import MANIFEST, PACKAGE, Images, Manifest
from dagdsl_compiler.export.package import Package

_AT_ONCE = 32
"""How many images are in memory together."""


@dataclass(frozen=True, slots=True)
class OpenEdge:
    """An edge that carried something for one image, and what it weighed."""

    source: str
    target: str
    weight: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a net makes of one image: a probability for each class, and the open edges.

    `edges` has an entry for each graph with routers, by the key of its routes.
    """

    image: str
    probabilities: dict[str, float]
    edges: dict[str, tuple[OpenEdge, ...]]

    def top(self, count: int) -> list[tuple[str, float]]:
        """The most probable classes, each with its probability."""
        ranked = sorted(self.probabilities.items(), key=lambda pair: -pair[1])
        return ranked[:count]


def open_edges(names: Sequence[str], adjacency: Sequence[Sequence[float]]) -> tuple[OpenEdge, ...]:
    """The open edges of one sample, `adjacency[i][j]` being the weight from node `i` to `j`."""
    return tuple(
        OpenEdge(source, target, weight)
        for source, row in zip(names, adjacency, strict=True)
        for target, weight in zip(names, row, strict=True)
        if weight != 0
    )


class Predictor:
    """What `dagdsl build` left in a folder, loaded."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError: no artefact there, one without trained weights, or not for here."""
        if not (folder / MANIFEST).exists():
            raise UsageError(
                f"{folder} holds no artefact: `dagdsl build NET --weights RUN -o {folder}` makes it"
            )
        self.manifest = Manifest.from_json(read_text(folder / MANIFEST))
        if self.manifest.images is None:
            raise UsageError(f"{folder} was built with random weights: give build `--weights RUN`")
        if not (folder / PACKAGE).exists():
            raise UsageError(f"{folder} holds no {PACKAGE}: build it with `--backend inductor`")
        self.images = self.manifest.images
        (self.shape,) = self.manifest.inputs.values()
        self._package = Package(folder / PACKAGE)

    def predict(self, paths: Sequence[Path]) -> Iterator[Prediction]:
        """A prediction for each image. Raises UsageError for one that cannot be read."""
        size = self.manifest.batch or _AT_ONCE
        for start in range(0, len(paths), size):
            part = paths[start : start + size]
            x = torch.stack([input_of(path, self.shape, self.images) for path in part])
            if self.manifest.batch:
                # Of what fills up the batch, nothing is looked at.
                x = torch.cat([x, x[:1].expand(size - len(part), *self.shape)])
            yield from self._predictions(part, x)

    def _predictions(self, paths: Sequence[Path], x: Tensor) -> Iterator[Prediction]:
        results = dict(zip(self.manifest.results, self._package.run([x]), strict=True))
        probabilities = results[self.images.logits].softmax(1).tolist()
        routes = {key: results[f"routes.{key}"].tolist() for key in self.manifest.routes}
        for i, path in enumerate(paths):
            yield Prediction(
                str(path),
                dict(zip(self.images.classes, probabilities[i], strict=True)),
                {key: open_edges(self.manifest.routes[key], a[i]) for key, a in routes.items()},
            )


def input_of(path: Path, shape: tuple[int, ...], images: Images) -> Tensor:
    """An image file as the net saw those of its training: `[C, H, W]`. Raises UsageError."""
    _, height, width = shape
    image = open_image(path, len(images.mean))
    box = centre_box(image.size, width / height, images.centre)
    pixels = pixels_of(resize(image, (width, height), box)).float() / 255
    mean, std = (torch.tensor(x).view(-1, 1, 1) for x in (images.mean, images.std))
    return ((pixels - mean) / std).expand(shape)
