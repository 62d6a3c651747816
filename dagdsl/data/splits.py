"""What every data set is: three splits that give batches of normalised images and labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dagdsl.ir.nodes import Shape

Batch: TypeAlias = tuple[Tensor, Tensor]
"""Images `[B, C, H, W]`, float32 and normalised; labels `[B]`, int64."""


class Split(Protocol):
    """Part of a data set. What it gives depends on its arguments alone, not on earlier calls."""

    def __len__(self) -> int: ...

    def shuffled(self, batch_size: int, *, seed: int, epoch: int, augment: bool) -> Iterator[Batch]:
        """One epoch of training: `steps_an_epoch` batches of one size in random order.

        Order and augmentation follow from `(seed, epoch)`, whatever ran before and however many
        workers read. Raises UsageError when an image cannot be read.
        """
        ...

    def ordered(self, batch_size: int) -> Iterator[Batch]:
        """All images in order and without augmentation; the last batch may be smaller."""
        ...

    def pick(self, indices: Sequence[int]) -> Batch:
        """The images of these indices as `ordered` gives them. Raises IndexError."""
        ...


@dataclass(frozen=True)
class Normalisation:
    """`(x - mean) / std` for `x` in 0 to 1, a number a channel."""

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
    """A data set made to fit a net's input.

    `validation` is what the best epoch is chosen on; `test` is looked at once, after training.
    """

    name: str
    classes: tuple[str, ...]
    normalisation: Normalisation
    train: Split
    validation: Split
    test: Split


@dataclass(frozen=True)
class Wanted:
    """What an opener has to make: images of `shape` (C, H, W) with C 1 or 3, on `device`.

    `validation` is the share of the training images held out where the data set brings no
    validation split of its own; `normalisation` is given when a trained net needs that of its
    training; `workers` processes decode files.
    """

    shape: Shape
    device: torch.device
    validation: float
    normalisation: Normalisation | None = None
    workers: int = 0


def steps_an_epoch(samples: int, batch_size: int) -> int:
    """How many batches `shuffled` gives.

    What is left over when `batch_size` does not divide `samples` is dropped (other samples each
    epoch): one odd batch would cost a compiled net a second compilation, and a batch of one breaks
    BatchNorm. Fewer samples than `batch_size` make one batch.
    """
    return max(1, samples // batch_size)


def derive_seed(*parts: int) -> int:
    """A seed for `torch` or `random` made of several numbers: near parts give unrelated seeds."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def hold_out(labels: Sequence[int], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split sample indices in two, `share` of every class in the second; both in ascending order.

    Always the same for the same labels: what is held out must not depend on a run's seed, or
    seeds could not be compared. RandomState because numpy promises its stream never changes.
    """
    random = np.random.RandomState(0)
    of = np.asarray(labels)
    held = [
        random.permutation(np.flatnonzero(of == label))[: _count(int((of == label).sum()), share)]
        for label in np.unique(of)
    ]
    second = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(of)), second), second


def _count(samples: int, share: float) -> int:
    """At least one, as long as one is left."""
    return min(max(1, round(samples * share)), samples - 1)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch where the net runs, without waiting for the copy."""
    images, labels = batch
    return images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
