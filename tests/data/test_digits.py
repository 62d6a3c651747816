"""The bundled digits, and the behaviour of all tensor data sets."""

from __future__ import annotations

import pytest
import torch

from dagdsl.data import Data, open_data
from dagdsl.data.splits import derive_seed, hold_out
from dagdsl.data.tensors import TensorSplit
from dagdsl.errors import UsageError


@pytest.fixture(scope="module")
def digits() -> Data:
    return open_data("digits", shape=(1, 8, 8))


def _rows(split: object) -> set[bytes]:
    assert isinstance(split, TensorSplit)
    return {image.numpy().tobytes() for image in split.images}


def _labels(split: object) -> torch.Tensor:
    assert isinstance(split, TensorSplit)
    return split.labels


def test_splits_are_disjoint_and_stratified(digits: Data) -> None:
    splits = (digits.train, digits.validation, digits.test)
    assert [len(split) for split in splits] == [1295, 143, 359]
    assert len(set().union(*map(_rows, splits))) == sum(len(_rows(split)) for split in splits)
    counts = torch.stack([_labels(split).bincount() for split in splits])
    shares = counts / counts.sum(0)
    assert shares.sub(torch.tensor([[0.72], [0.08], [0.2]])).abs().max() < 0.005
    assert digits.classes == tuple("0123456789")


def test_nothing_is_lost_and_images_are_normalised(digits: Data) -> None:
    assert isinstance(digits.train, TensorSplit)
    assert set(digits.train.images.flatten().tolist()) == {round(i * 255 / 16) for i in range(17)}
    images = torch.cat([images for images, _ in digits.train.ordered(500)])
    assert images.shape == (1295, 1, 8, 8)
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std().item() == pytest.approx(1, abs=1e-4)


def test_ordered_yields_every_image_once_and_pick_the_same(digits: Data) -> None:
    batches = list(digits.test.ordered(100))
    assert [len(labels) for _, labels in batches] == [100, 100, 100, 59]
    images = torch.cat([images for images, _ in batches])
    picked, labels = digits.test.pick([358, 0])
    assert torch.equal(picked, images[[358, 0]])
    assert labels.tolist() == [batches[3][1][-1], batches[0][1][0]]


def test_images_are_adapted_to_the_input() -> None:
    images, _ = open_data("digits", shape=(3, 17, 12)).test.pick([0])
    assert images.shape == (1, 3, 17, 12)
    assert torch.equal(images[:, 0], images[:, 2])


def test_an_epoch_depends_only_on_seed_and_number(digits: Data) -> None:
    def epoch(seed: int, epoch: int, augment: bool = True) -> torch.Tensor:
        batches = digits.train.shuffled(100, seed=seed, epoch=epoch, augment=augment)
        return torch.cat([images for images, _ in batches])

    first = epoch(0, 1)
    torch.manual_seed(5)
    epoch(0, 2)
    before = torch.get_rng_state()
    assert torch.equal(epoch(0, 1), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(first) == 1200
    for other in (epoch(0, 2), epoch(1, 1), epoch(0, 1, augment=False)):
        assert not torch.equal(other, first)


def test_augmentation_shifts_by_a_pixel_and_never_mirrors(digits: Data) -> None:
    def images(augment: bool) -> torch.Tensor:
        return next(digits.train.shuffled(1295, seed=0, epoch=1, augment=augment))[0]

    ground = (0 - digits.normalisation.mean[0]) / digits.normalisation.std[0]
    padded = torch.nn.functional.pad(images(False), (1, 1, 1, 1), value=ground)
    shifts = [padded[:, :, y : y + 8, x : x + 8] for y in range(3) for x in range(3)]
    found = torch.stack([(images(True) == shift).flatten(1).all(1) for shift in shifts])
    assert found.any(0).all()
    assert (found.sum(1) > 50).all()


def test_a_batch_larger_than_the_set(digits: Data) -> None:
    ((images, _),) = digits.train.shuffled(5000, seed=0, epoch=1, augment=True)
    assert len(images) == 1295


def test_hold_out_keeps_an_image_of_every_class() -> None:
    kept, held = hold_out([0, 0, 0, 1, 1, 2], 0.1)
    assert sorted([*kept, *held]) == list(range(6))
    assert len(held) == 2
    assert 5 in kept


def test_seeds_differ() -> None:
    seeds = {derive_seed(a, b) for a in range(30) for b in range(30)}
    assert len(seeds) == 900
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize(
    ("spec", "shape", "message"),
    [
        ("cifar", (1, 8, 8), "unknown data set `cifar`: use digits"),
        ("digits:x", (1, 8, 8), "data set `digits:x`: write `digits`"),
        ("folder", (1, 8, 8), "data set `folder`: write `folder:PATH`"),
        ("digits", (64,), "needs 1 or 3 channels x height x width"),
        ("digits", (4, 8, 8), "input is 4 x 8 x 8"),
    ],
)
def test_wrong_use(spec: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_data(spec, shape=shape)
