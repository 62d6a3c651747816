"""The interface of data sets: three splits that yield batches of normalised images and labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import torch
from torch import Tensor

from dagdsl.ir.nodes import Shape
from dagdsl.optional import import_optional

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Batch: TypeAlias = tuple[Tensor, Tensor]
"""Images `[B, C, H, W]`, float32 and normalised; labels `[B]`, int64."""


class Split(Protocol):
    """A part of a data set. Its batches depend only on the arguments, not on earlier calls."""

    def __len__(self) -> int: ...

    def shuffled(self, batch_size: int, *, seed: int, epoch: int, augment: bool) -> Iterator[Batch]:
        """One epoch of training: `steps_per_epoch` batches of equal size in random order.

        Order and augmentation depend only on `(seed, epoch)`, not on the number of workers. Raises
        UsageError if an image cannot be read.
        """
        ...

    def ordered(self, batch_size: int) -> Iterator[Batch]:
        """All images in order, without augmentation. The last batch may be smaller."""
        ...

    def pick(self, indices: Sequence[int]) -> Batch:
        """One batch of these images, as `ordered` yields them. Raises IndexError."""
        ...


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation per channel: images in 0 to 1 become `(x - mean) / std`."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, images: Tensor) -> Tensor:
        """Normalise float images `[B, C, H, W]`."""
        mean, std = (
            torch.tensor(x, dtype=images.dtype, device=images.device).view(1, -1, 1, 1)
            for x in (self.mean, self.std)
        )
        return (images - mean) / std


@dataclass(frozen=True)
class Data:
    """A data set adapted to a net's input.

    `validation` selects the best epoch. `test` is used once, after training.
    """

    name: str
    classes: tuple[str, ...]
    normalisation: Normalisation
    train: Split
    validation: Split
    test: Split


@dataclass(frozen=True)
class DataRequest:
    """The requirements on a data set: images of `shape` (C, H, W), C 1 or 3, on `device`.

    `validation` is the fraction of the training images to hold out if the data set has no
    validation split. `normalisation` is set for a trained net, which needs that of its training.
    `workers` processes decode files.
    """

    shape: Shape
    device: torch.device
    validation: float
    normalisation: Normalisation | None = None
    workers: int = 0


def steps_per_epoch(samples: int, batch_size: int) -> int:
    """The number of batches that `shuffled` yields.

    A smaller last batch is dropped; which samples that affects changes with each epoch. It would
    make a compiled net compile again, and BatchNorm cannot train on a batch of one. If there are
    fewer samples than `batch_size`, they form one batch.

    >>> steps_per_epoch(samples=1000, batch_size=64)
    15
    """
    return max(1, samples // batch_size)


def derive_seed(*parts: int) -> int:
    """Hash several numbers into a seed. Similar numbers give unrelated seeds."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def hold_out(labels: Sequence[int], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split sample indices in two, with a `share` of every class in the second; both ascending.

    The result depends only on the labels: runs with different seeds must be comparable, so they
    hold out the same samples. Uses RandomState because numpy guarantees that its stream never
    changes.
    """
    np = import_optional("numpy", "reading data sets")
    random = np.random.RandomState(0)
    of = np.asarray(labels)
    held = [
        random.permutation(np.flatnonzero(of == label))[: _count(int((of == label).sum()), share)]
        for label in np.unique(of)
    ]
    second = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(of)), second), second


def _count(samples: int, share: float) -> int:
    """The number of samples to hold out: at least one, unless it is the only one."""
    return min(max(1, round(samples * share)), samples - 1)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move a batch to the net's device without waiting for the copy."""
    images, labels = batch
    return images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
