"""A small set of grey images held in one uint8 tensor, adapted and augmented batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dagdsl.data.splits import (
    Batch,
    Data,
    DataRequest,
    Normalisation,
    derive_seed,
    hold_out,
    steps_per_epoch,
)
from dagdsl.ir.nodes import Shape


@dataclass(frozen=True)
class Augmentation:
    """Shift images by up to `shift` pixels on a black background; mirror half of them if `flip`."""

    shift: int
    flip: bool


@dataclass(frozen=True)
class TensorSplit:
    """Original images `[N, 1, H, W]` (uint8) and labels `[N]`, both on the net's device."""

    images: Tensor
    labels: Tensor
    shape: Shape
    normalisation: Normalisation
    augmentation: Augmentation

    def __len__(self) -> int:
        return len(self.labels)

    def shuffled(self, batch_size: int, *, seed: int, epoch: int, augment: bool) -> Iterator[Batch]:
        """See `Split`."""
        generator = torch.Generator().manual_seed(derive_seed(seed, epoch))
        order = torch.randperm(len(self), generator=generator).to(self.labels.device)
        for step in range(steps_per_epoch(len(self), batch_size)):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            images = self.images[chosen]
            if augment:
                images = _augment(images, self.augmentation, generator)
            yield self._adapt(images), self.labels[chosen]

    def ordered(self, batch_size: int) -> Iterator[Batch]:
        """See `Split`."""
        for start in range(0, len(self), batch_size):
            part = slice(start, start + batch_size)
            yield self._adapt(self.images[part]), self.labels[part]

    def pick(self, indices: Sequence[int]) -> Batch:
        """See `Split`."""
        chosen = torch.tensor(indices, device=self.labels.device)
        return self._adapt(self.images[chosen]), self.labels[chosen]

    def _adapt(self, images: Tensor) -> Tensor:
        channels, height, width = self.shape
        x = images.float() / 255
        if x.shape[2:] != (height, width):
            x = F.interpolate(x, (height, width), mode="bilinear", antialias=True)
        return self.normalisation.apply(x).expand(-1, channels, -1, -1)


def make_data(
    name: str,
    classes: tuple[str, ...],
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    augmentation: Augmentation,
    request: DataRequest,
) -> Data:
    """Hold out a stratified validation split of `train`; the rest determines mean and std."""
    images, labels = train
    kept, held = map(torch.from_numpy, hold_out(labels.tolist(), request.validation))
    normalisation = request.normalisation or _measure(images[kept])

    def split(images: Tensor, labels: Tensor) -> TensorSplit:
        return TensorSplit(
            images.to(request.device),
            labels.to(request.device),
            request.shape,
            normalisation,
            augmentation,
        )

    return Data(
        name,
        classes,
        normalisation,
        train=split(images[kept], labels[kept]),
        validation=split(images[held], labels[held]),
        test=split(*test),
    )


def _measure(images: Tensor) -> Normalisation:
    """Exact mean and std of grey images from their histogram, without a float copy."""
    counts = torch.bincount(images.flatten(), minlength=256).double()
    values = torch.arange(256, dtype=torch.double) / 255
    mean = (counts @ values / counts.sum()).item()
    std = (counts @ (values - mean) ** 2 / counts.sum()).sqrt().item()
    return Normalisation((mean,), (std,))


def _augment(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Augment on any device with the same random numbers, which are drawn on the CPU."""
    batch, _, height, width = images.shape
    moves = torch.randint(2 * how.shift + 1, (2, batch, 1), generator=generator)
    mirrored = torch.rand(batch, generator=generator) < (0.5 if how.flip else 0.0)

    rows = moves[0] + torch.arange(height)
    columns = moves[1] + torch.arange(width)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    rows, columns = rows.to(images.device), columns.to(images.device)

    padded = F.pad(images, (how.shift,) * 4)
    sample = torch.arange(batch, device=images.device)
    return padded[sample[:, None, None], 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)
