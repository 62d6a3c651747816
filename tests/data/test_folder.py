"""Image folders: layout, decoding, workers, and everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dagdsl.data import open_data
from dagdsl.data.folder import CENTRE, FolderSplit
from dagdsl.data.image import centre_box
from dagdsl.errors import UsageError

SHAPE = (3, 16, 24)


def paint(path: Path, seed: int, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = 20 + seed % 7, 30 + seed % 5
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(12):
        paint(tmp_path / "train" / ("cat", "dog")[i % 2] / f"{i}.png", i, "RGBA" if i else "L")
    for i in range(6):
        paint(tmp_path / "test" / ("cat", "dog")[i % 2] / "deeper" / f"{i}.JPEG", 100 + i)
    (tmp_path / "train" / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "train" / ".hidden").mkdir()
    return tmp_path


def test_layout(folder: Path) -> None:
    data = open_data(f"folder:{folder}", shape=SHAPE, validation=0.2)
    assert data.classes == ("cat", "dog")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [10, 2, 6]
    assert isinstance(data.test, FolderSplit)
    assert [label for _, label in data.test.samples] == [0, 0, 0, 1, 1, 1]
    images, labels = next(data.test.ordered(4))
    assert images.shape == (4, *SHAPE)
    assert images.dtype == torch.float32
    assert labels.tolist() == [0, 0, 0, 1]
    picked, _ = data.test.pick([3, 1])
    assert torch.equal(picked, images[[3, 1]])


def test_grey_input(folder: Path) -> None:
    data = open_data(f"folder:{folder}", shape=(1, 8, 8))
    images, _ = next(data.test.ordered(6))
    assert images.shape == (6, 1, 8, 8)
    assert abs(images.mean()) < 0.5


def test_val_is_the_test_split_or_the_validation_split(folder: Path) -> None:
    for i in range(4):
        paint(folder / "val" / ("cat", "dog")[i % 2] / f"{i}.png", 200 + i)
    both = open_data(f"folder:{folder}", shape=SHAPE)
    assert [len(split) for split in (both.train, both.validation, both.test)] == [12, 4, 6]
    (folder / "test").rename(folder / "elsewhere")
    imagenet = open_data(f"folder:{folder}", shape=SHAPE)
    assert [len(split) for split in (imagenet.train, imagenet.validation, imagenet.test)] == [
        10,
        2,
        4,
    ]


def test_the_number_of_workers_changes_nothing(folder: Path) -> None:
    def batches(workers: int) -> list[torch.Tensor]:
        data = open_data(f"folder:{folder}", shape=SHAPE, workers=workers)
        epoch = list(data.train.shuffled(4, seed=3, epoch=2, augment=True))
        assert len(epoch) == 2
        return [tensor for batch in epoch for tensor in batch]

    before = torch.get_rng_state()
    alone, helped = batches(0), batches(2)
    assert all(map(torch.equal, alone, helped))
    assert torch.equal(torch.get_rng_state(), before)


def test_epochs_differ_in_order_and_crop(folder: Path) -> None:
    data = open_data(f"folder:{folder}", shape=SHAPE)

    def epoch(number: int, augment: bool) -> torch.Tensor:
        return next(data.train.shuffled(10, seed=0, epoch=number, augment=augment))[0]

    def sorted_means(images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1).mean(1).sort().values

    assert torch.equal(epoch(1, True), epoch(1, True))
    assert not torch.equal(epoch(1, True), epoch(2, True))
    first, second = epoch(1, False), epoch(2, False)
    assert not torch.equal(first, second)
    assert torch.allclose(sorted_means(first), sorted_means(second))


def test_centre_box_is_that_of_imagenet() -> None:
    assert centre_box((256, 256), 1.0, CENTRE) == (16, 16, 240, 240)
    assert centre_box((512, 256), 1.0, CENTRE) == (144, 16, 368, 240)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_image_is_named(folder: Path, workers: int) -> None:
    broken = folder / "test" / "dog" / "deeper" / "1.JPEG"
    broken.write_bytes(broken.read_bytes()[:200])
    data = open_data(f"folder:{folder}", shape=SHAPE, workers=workers)
    with pytest.raises(UsageError, match=rf"^cannot read the image {broken}: [^\n]*$"):
        list(data.test.ordered(4))


def test_a_file_that_is_not_an_image(folder: Path) -> None:
    (folder / "test" / "dog" / "x.png").write_text("hello")
    data = open_data(f"folder:{folder}", shape=SHAPE)
    with pytest.raises(UsageError, match=r"cannot read the image .*x\.png"):
        list(data.test.ordered(10))


def test_missing_folders(tmp_path: Path) -> None:
    def check(message: str) -> None:
        with pytest.raises(UsageError, match=message):
            open_data(f"folder:{tmp_path / 'data'}", shape=SHAPE)

    root = tmp_path / "data"
    check("does not exist")
    (root / "train").mkdir(parents=True)
    check("must contain the folders train and test")
    (root / "test").mkdir()
    check("train contains no folders")
    (root / "train" / "cat").mkdir()
    check("cat contains no images")
    paint(root / "train" / "cat" / "1.png", 1)
    check("test contains no folders")
    paint(root / "test" / "dog" / "1.png", 1)
    check(r"the class `cat` is in train but not in .*test")
    (root / "test" / "dog").rename(root / "test" / "cat")
    check("needs at least two images of some class")
    paint(root / "train" / "cat" / "2.png", 1)
    paint(root / "test" / "zebra" / "1.png", 1)
    check(r"the class `zebra` is in .*test but not in train")
