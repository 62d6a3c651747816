"""`folder:PATH`: images in a folder per class, the layout of ImageNet and torchvision.

    PATH/train/<class>/*            trained on
    PATH/val/<class>/*              validation, if PATH/test is there too
    PATH/test/<class>/*             test; PATH/val if there is no PATH/test

Without a validation split of its own a part of the training images is held out, as everywhere.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dagdsl.data.image import Box, centre_box, open_image, pixels_of, resize
from dagdsl.data.splits import (
    Batch,
    Data,
    Normalisation,
    Wanted,
    derive_seed,
    hold_out,
    steps_an_epoch,
)
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Shape

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"))
"""As in torchvision's ImageFolder."""
IMAGENET = {
    3: Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    1: Normalisation((0.459,), (0.226,)),
}
"""Channels -> constants; those of grey images follow from the RGB ones by ITU-R BT.601."""
CENTRE = 0.875
"""Share of height and width that is looked at outside training: 224 of 256."""

Sample: TypeAlias = tuple[Path, int]
"""An image file and its label."""


def open_folder(argument: str, wanted: Wanted) -> Data:
    """The opener of `folder:PATH`. Files are decoded when they are used, not here."""
    root = Path(argument).expanduser()
    if not root.is_dir():
        raise UsageError(f"the data folder {root} does not exist")
    found = [root / name for name in ("train", "val", "test") if (root / name).is_dir()]
    if len(found) < 2 or found[0].name != "train":
        raise UsageError(f"{root} must hold the folders train and test (or val)")
    classes = _class_names(found[0])
    train, *others = (_list_samples(folder, classes) for folder in found)
    if len(others) == 1:
        kept, held = hold_out([label for _, label in train], wanted.validation)
        if not len(held):
            raise UsageError(f"{found[0]} needs two images of a class: one is for validation")
        others = [[train[i] for i in held], *others]
        train = [train[i] for i in kept]
    validation, test = others

    normalisation = wanted.normalisation or IMAGENET[wanted.shape[0]]

    def split(samples: list[Sample]) -> FolderSplit:
        return FolderSplit(tuple(samples), wanted.shape, normalisation, wanted.workers)

    return Data(
        f"folder:{root}", classes, normalisation, split(train), split(validation), split(test)
    )


def _class_names(folder: Path) -> tuple[str, ...]:
    with _listing(folder):
        names = sorted(
            path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."
        )
    if not names:
        raise UsageError(f"{folder} holds no folders: it needs one for each class")
    return tuple(names)


def _list_samples(folder: Path, classes: tuple[str, ...]) -> list[Sample]:
    """All images, class after class; every folder must hold the same classes."""
    here = _class_names(folder)
    for name in sorted({*here} ^ {*classes}):
        where = f"{folder} but not in train" if name in here else f"train but not in {folder}"
        raise UsageError(f"the class `{name}` is in {where}")
    samples = []
    for label, name in enumerate(classes):
        with _listing(folder / name):
            files = sorted(
                path
                for path in (folder / name).rglob("*")
                if path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
            )
        if not files:
            raise UsageError(f"{folder / name} holds no images")
        samples += [(file, label) for file in files]
    return samples


@dataclass(frozen=True)
class FolderSplit:
    """Image files with their labels, decoded by `workers` processes (0: by this one)."""

    samples: tuple[Sample, ...]
    shape: Shape
    normalisation: Normalisation
    workers: int

    def __len__(self) -> int:
        return len(self.samples)

    def shuffled(self, batch_size: int, *, seed: int, epoch: int, augment: bool) -> Iterator[Batch]:
        """See `Split`."""
        generator = torch.Generator().manual_seed(derive_seed(seed, epoch))
        order = torch.randperm(len(self), generator=generator).tolist()
        kept = order[: steps_an_epoch(len(self), batch_size) * batch_size]
        return self._load(kept, batch_size, (seed, epoch) if augment else None)

    def ordered(self, batch_size: int) -> Iterator[Batch]:
        """See `Split`."""
        return self._load(range(len(self)), batch_size, None)

    def pick(self, indices: Sequence[int]) -> Batch:
        """See `Split`."""
        return next(self._load([range(len(self))[i] for i in indices], len(indices), None))

    def _load(
        self, indices: Sequence[int], batch_size: int, augmented: tuple[int, int] | None
    ) -> Iterator[Batch]:
        loader = DataLoader(
            _Decoded(self, augmented),
            batch_size,
            sampler=indices,
            num_workers=self.workers,
            collate_fn=_collate,
            pin_memory=torch.cuda.is_available(),
            # Without its own generator the loader would draw from the global one, which is the
            # net's (dropout).
            generator=torch.Generator(),
        )
        for batch in loader:
            if isinstance(batch, UsageError):
                raise batch
            pixels, labels = batch
            yield self.normalisation.apply(pixels.float() / 255), labels


@dataclass(frozen=True)
class _Decoded(Dataset[tuple[Tensor, int] | UsageError]):
    """The samples as uint8 tensors; augmented by what follows from (seed, epoch, index)."""

    split: FolderSplit
    augmented: tuple[int, int] | None

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, int] | UsageError:
        path, label = self.split.samples[index]
        channels, height, width = self.split.shape
        try:
            image = open_image(path, channels)
        except UsageError as error:
            # Handed over: a DataLoader would wrap what a worker raises in a traceback.
            return error
        if self.augmented:
            chance = random.Random(derive_seed(*self.augmented, index))
            box = _random_box(image.size, chance)
            mirrored = chance.random() < 0.5
        else:
            box, mirrored = centre_box(image.size, width / height, CENTRE), False
        image = resize(image, (width, height), box)
        if mirrored:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return pixels_of(image), label


def _collate(items: list[tuple[Tensor, int] | UsageError]) -> Batch | UsageError:
    samples = []
    for item in items:
        if isinstance(item, UsageError):
            return item
        samples.append(item)
    pixels, labels = zip(*samples, strict=True)
    return torch.stack(pixels), torch.tensor(labels)


def _random_box(size: tuple[int, int], chance: random.Random) -> Box:
    """8 to 100 % of the image at an aspect of 3:4 to 4:3, the crop of Inception (1409.4842)."""
    width, height = size
    for _ in range(10):
        area = width * height * chance.uniform(0.08, 1.0)
        aspect = math.exp(chance.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if w <= width and h <= height:
            left, top = chance.uniform(0, width - w), chance.uniform(0, height - h)
            return left, top, left + w, top + h
    return 0, 0, width, height


@contextmanager
def _listing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot list {folder}: {error.strerror}") from error
