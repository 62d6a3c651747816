"""A run folder -> how its best weights perform on the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from dagdsl.data import Data, Split, open_data, to_device
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.prediction import OpenEdge, open_edges
from dagdsl.training.checkpoint import load_weights
from dagdsl.training.classifier import as_classifier
from dagdsl.training.config import TrainConfig
from dagdsl.training.device import pick_device
from dagdsl.training.measure import measure
from dagdsl.training.metrics import Evaluation
from dagdsl.training.routing import routed_graphs, without_thresholds
from dagdsl.training.run import RunFolder
from dagdsl_compiler.driver import Model
from dagdsl_compiler.driver import compile as compile_net

Backend = Literal["eager", "inductor"]


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A run that `open_run` has loaded: `model` has the best weights and is in evaluation mode.

    >>> import dagdsl
    >>> run = dagdsl.open_run("runs/quickstart")
    >>> images, labels = run.data.test.pick([0, 1])
    >>> run.model(images).shape
    torch.Size([2, 10])
    """

    net: Net
    model: Model
    data: Data
    config: TrainConfig
    device: torch.device

    @property
    def batch_size(self) -> int:
        """The batch size of evaluation."""
        return evaluation_batch(self.config)


@dataclass(frozen=True, slots=True)
class ImageRoutes:
    """The prediction for one test image and the routes it took.

    `index` is its place among the test images, `label` its class, and `probability` that of the
    `predicted` class, 0 to 1. `edges` has the open edges of each graph with routers, by the key of
    its routes.

    >>> import dagdsl
    >>> [image] = dagdsl.image_routes("runs/quickstart", count=1)
    >>> all(edge.weight > 0 for edges in image.edges.values() for edge in edges)
    True
    """

    index: int
    label: str
    predicted: str
    probability: float
    edges: dict[str, tuple[OpenEdge, ...]]

    @property
    def open_edges(self) -> frozenset[tuple[str, str, str]]:
        """The open edges as triples (key of the routes, source, target)."""
        return frozenset(
            (key, edge.source, edge.target) for key, edges in self.edges.items() for edge in edges
        )


def open_run(
    path: Path,
    *,
    data: str | None = None,
    device: str = "auto",
    backend: Backend = "eager",
    workers: int = 0,
) -> TrainedRun:
    """Load the network, the best weights and the data of a run.

    `data` replaces the data set of the training. Raises UsageError if files are missing, damaged or
    of different runs, and if the data have other classes than the training.
    """
    run = RunFolder(path)
    net, config = run.read_net(), run.read_config()
    where = pick_device(device)
    model = compile_net(net, backend=backend, device=str(where))
    weights = load_weights(run.best, net, model)
    opened = open_data(
        data or config.data,
        shape=as_classifier(net).input,
        validation=config.validation,
        device=where,
        workers=workers,
        normalisation=weights.normalisation,
    )
    if opened.classes != weights.classes:
        raise UsageError(
            f"{opened.name} does not have the classes of {weights.data}, the data of {path}"
        )
    model.eval()
    return TrainedRun(net, model, opened, config, where)


def evaluate(
    path: Path,
    *,
    data: str | None = None,
    device: str = "auto",
    backend: Backend = "eager",
    workers: int = 0,
) -> Evaluation:
    """Measure the best weights of a run on the test images. Raises UsageError like `open_run`."""
    run = open_run(path, data=data, device=device, backend=backend, workers=workers)
    return result_of(run.model, run.net, run.data.test, run.batch_size, run.device)


def result_of(
    model: nn.Module, net: Net, test: Split, batch_size: int, device: torch.device
) -> Evaluation:
    """Measure a model on the test images, with and without its thresholds."""
    measured = measure(model, net, test, batch_size, device)
    accuracy_open = None
    opened = without_thresholds(net)
    if opened != net:
        # Compiling would not pay off for a single pass.
        open_model = compile_net(opened, backend="eager", device=str(device))
        open_model.load_state_dict(model.state_dict())
        accuracy_open = measure(open_model, opened, test, batch_size, device).accuracy
    return Evaluation(
        test_samples=measured.samples,
        test_loss=measured.loss,
        test_accuracy=measured.accuracy,
        test_accuracy_without_threshold=accuracy_open,
        open_edge_rate=measured.per_stage("open_edges"),
        dead_node_rate=measured.per_stage("dead_nodes"),
        unused_node_rate=measured.per_stage("unused_nodes"),
        closed_output_rate=measured.per_stage("closed_output"),
        hamming_distance=measured.per_stage("hamming_distance"),
    )


@torch.no_grad()
def predict_routes(run: TrainedRun, indices: Sequence[int]) -> list[ImageRoutes]:
    """Predict single test images. Raises UsageError for an index out of range."""
    count = len(run.data.test)
    for index in indices:
        if not 0 <= index < count:
            raise UsageError(f"there is no test image {index}: the indices are 0 to {count - 1}")
    if not indices:
        return []
    images, labels = to_device(run.data.test.pick(indices), run.device)
    outputs, routes = run.model(images, return_routes=True)
    shares = as_classifier(run.net).logits(outputs).softmax(1)
    names = run.data.classes
    graphs = routed_graphs(run.net)
    edges = {
        key: [open_edges([node.name for node in graphs[key].nodes], a) for a in of_images.tolist()]
        for key, of_images in routes.items()
    }
    return [
        ImageRoutes(
            index,
            label=names[labels[i]],
            predicted=names[shares[i].argmax()],
            probability=shares[i].max().item(),
            edges={key: of_images[i] for key, of_images in edges.items()},
        )
        for i, index in enumerate(indices)
    ]


def most_different(images: Sequence[ImageRoutes], count: int) -> list[ImageRoutes]:
    """The first image, then repeatedly the one whose routes differ most from those chosen."""
    chosen, rest = list(images[:1]), list(images[1:])
    while rest and len(chosen) < count:
        farthest = max(
            rest,
            key=lambda image: min(len(image.open_edges ^ other.open_edges) for other in chosen),
        )
        chosen.append(farthest)
        rest.remove(farthest)
    return chosen[:count]


def evaluation_batch(config: TrainConfig) -> int:
    """The batch size of evaluation: larger than in training, as there is no backward pass."""
    return 4 * config.batch_size
