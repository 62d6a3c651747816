"""`folder:PATH`: one folder of images per class, the layout of ImageNet and torchvision.

    PATH/train/<class>/*            training
    PATH/val/<class>/*              validation if PATH/test exists, otherwise test
    PATH/test/<class>/*             test

Without a validation split, part of the training images is held out, as for all data sets.
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
    DataRequest,
    Normalisation,
    derive_seed,
    hold_out,
    steps_per_epoch,
)
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Shape

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"))
"""The suffixes of torchvision's ImageFolder, in lower case."""
IMAGENET = {
    3: Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    1: Normalisation((0.459,), (0.226,)),
}
"""Number of channels -> ImageNet's constants; grey ones are derived from RGB by ITU-R BT.601."""
CENTRE = 0.875
"""Fraction of height and width in the centre crop of evaluation: 224 of 256."""

Sample: TypeAlias = tuple[Path, int]
"""An image file and its label."""


def open_folder(argument: str, request: DataRequest) -> Data:
    """Open `folder:PATH`. Files are decoded on use."""
    root = Path(argument).expanduser()
    if not root.is_dir():
        raise UsageError(f"the data folder {root} does not exist")
    found = [root / name for name in ("train", "val", "test") if (root / name).is_dir()]
    if len(found) < 2 or found[0].name != "train":
        raise UsageError(f"{root} must contain the folders train and test (or val)")
    classes = _class_names(found[0])
    train, *others = (_list_samples(folder, classes) for folder in found)
    if len(others) == 1:
        kept, held = hold_out([label for _, label in train], request.validation)
        if not len(held):
            raise UsageError(
                f"{found[0]} needs at least two images of some class to hold one out for validation"
            )
        others = [[train[i] for i in held], *others]
        train = [train[i] for i in kept]
    validation, test = others

    normalisation = request.normalisation or IMAGENET[request.shape[0]]

    def split(samples: list[Sample]) -> FolderSplit:
        return FolderSplit(tuple(samples), request.shape, normalisation, request.workers)

    return Data(
        f"folder:{root}", classes, normalisation, split(train), split(validation), split(test)
    )


def _class_names(folder: Path) -> tuple[str, ...]:
    with _listing(folder):
        names = sorted(
            path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."
        )
    if not names:
        raise UsageError(f"{folder} contains no folders: it needs one per class")
    return tuple(names)


def _list_samples(folder: Path, classes: tuple[str, ...]) -> list[Sample]:
    """All images, class by class. Raises UsageError if the classes differ from those of train."""
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
            raise UsageError(f"{folder / name} contains no images")
        samples += [(file, label) for file in files]
    return samples


@dataclass(frozen=True)
class FolderSplit:
    """Image files and labels, decoded by `workers` processes (0: by this process)."""

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
        kept = order[: steps_per_epoch(len(self), batch_size) * batch_size]
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
            # Otherwise the loader would draw from the global generator, which belongs to the net
            # (dropout).
            generator=torch.Generator(),
        )
        for batch in loader:
            if isinstance(batch, UsageError):
                raise batch
            pixels, labels = batch
            yield self.normalisation.apply(pixels.float() / 255), labels


@dataclass(frozen=True)
class _Decoded(Dataset[tuple[Tensor, int] | UsageError]):
    """The samples as uint8 tensors.

    If `augmented` is (seed, epoch), the augmentation of a sample depends only on it and the index.
    """

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
            # Returned, not raised: a DataLoader would wrap an exception of a worker in a traceback.
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
    """The random crop of Inception (arXiv 1409.4842): 8 to 100 % of the area, aspect 3:4 to 4:3."""
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
