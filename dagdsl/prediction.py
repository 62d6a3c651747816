"""A built artefact and image files -> the class of each image, and the routes it took.

This module imports torch and little else, so that `dagdsl run` starts fast.
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

_BATCH = 32
"""Number of images in memory at a time, for an artefact that takes any batch size."""


@dataclass(frozen=True, slots=True)
class OpenEdge:
    """An edge that was open for one image, and its weight.

    >>> import dagdsl
    >>> dagdsl.OpenEdge("in", "n[0]", weight=0.75).weight
    0.75
    """

    source: str
    target: str
    weight: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one image: the probability of each class, and the open edges.

    `edges` has the open edges of each graph with routers, by the key of its routes.

    >>> import dagdsl
    >>> dagdsl.Prediction("a.png", {"cat": 0.3, "dog": 0.7}, edges={}).top(1)
    [('dog', 0.7)]
    """

    image: str
    probabilities: dict[str, float]
    edges: dict[str, tuple[OpenEdge, ...]]

    def top(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` most probable classes with their probabilities."""
        ranked = sorted(self.probabilities.items(), key=lambda pair: -pair[1])
        return ranked[:count]


def open_edges(names: Sequence[str], adjacency: Sequence[Sequence[float]]) -> tuple[OpenEdge, ...]:
    """Return the open edges of one sample; `adjacency[i][j]` is the weight from node `i` to `j`."""
    return tuple(
        OpenEdge(source, target, weight)
        for source, row in zip(names, adjacency, strict=True)
        for target, weight in zip(names, row, strict=True)
        if weight != 0
    )


class Predictor:
    """An artefact loaded from the folder that `dagdsl build` has written.

    Use it instead of `dagdsl.predict` to load the artefact once for several calls. Raises
    UsageError if the folder holds no artefact, one without trained weights, or one for another
    machine.

    >>> import dagdsl
    >>> from pathlib import Path
    >>> predictor = dagdsl.Predictor(Path("build/trained"))
    >>> [prediction.image for prediction in predictor.predict([Path("images/digit.png")])]
    ['images/digit.png']
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / MANIFEST).exists():
            raise UsageError(
                f"{folder} holds no artefact: make one with "
                f"`dagdsl build NET --weights RUN -o {folder}`"
            )
        self.manifest = Manifest.from_json(read_text(folder / MANIFEST))
        if self.manifest.images is None:
            raise UsageError(
                f"{folder} was built with random weights: build it with `--weights RUN`"
            )
        if not (folder / PACKAGE).exists():
            raise UsageError(f"{folder} holds no {PACKAGE}: build it with `--backend inductor`")
        self.images = self.manifest.images
        (self.shape,) = self.manifest.inputs.values()
        self._package = Package(folder / PACKAGE)

    def predict(self, paths: Sequence[Path]) -> Iterator[Prediction]:
        """Predict each image. Raises UsageError for an image that cannot be read."""
        size = self.manifest.batch or _BATCH
        for start in range(0, len(paths), size):
            part = paths[start : start + size]
            x = torch.stack([input_of(path, self.shape, self.images) for path in part])
            if self.manifest.batch:
                # Padding rows are ignored.
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
    """Read an image `[C, H, W]` as in training. Raises UsageError if it cannot be read."""
    _, height, width = shape
    image = open_image(path, len(images.mean))
    box = centre_box(image.size, width / height, images.centre)
    pixels = pixels_of(resize(image, (width, height), box)).float() / 255
    mean, std = (torch.tensor(x).view(-1, 1, 1) for x in (images.mean, images.std))
    return ((pixels - mean) / std).expand(shape)
