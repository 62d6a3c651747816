"""Fashion-MNIST, read from small files in the original format."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torchvision

from dagdsl.data import fashion_mnist, open_data
from dagdsl.data.tensors import TensorSplit
from dagdsl.errors import UsageError


def idx(values: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    return gzip.compress(header + values.astype(np.uint8).tobytes())


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """40 training and 20 test images in `$DAGDSL_DATA`."""
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    random = np.random.default_rng(0)
    for part, count in (("train", 40), ("t10k", 20)):
        images = random.integers(0, 256, (count, 28, 28))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(count) % 10))
    monkeypatch.setenv("DAGDSL_DATA", str(tmp_path))
    return folder


def test_files_are_read(files: Path) -> None:
    data = open_data("fashion-mnist", shape=(1, 28, 28), validation=0.25)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [30, 10, 20]
    assert data.classes[9] == "Ankle boot"
    assert isinstance(data.test, TensorSplit)
    raw = gzip.decompress((files / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert data.test.images.numpy().tobytes() == raw[16:]
    assert data.test.labels.tolist() == [i % 10 for i in range(20)]


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("train-images-idx3", _cut, "cannot read .*train-images"),
        ("train-images-idx3", lambda c: b"no gzip", "cannot read .*train-images"),
        ("train-images-idx3", lambda c: gzip.compress(b"P6 no idx"), "not an idx file"),
        ("train-images-idx3", lambda c: gzip.compress(b"\0\0\x08\x03\0"), "not an idx file"),
        ("train-images-idx3", lambda c: gzip.compress(gzip.decompress(c)[:-1]), "truncated"),
        ("t10k-labels-idx1", lambda c: idx(np.arange(19) % 10), "20 images, .* 19 labels"),
        ("t10k-labels-idx1", lambda c: idx(np.arange(20)), "the labels 0 to 9"),
        ("t10k-labels-idx1", lambda c: idx(np.zeros((20, 2))), "does not hold images and labels"),
    ],
)
def test_damaged_files(
    files: Path, name: str, damage: Callable[[bytes], bytes], message: str
) -> None:
    path = files / f"{name}-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UsageError, match=message):
        open_data("fashion-mnist", shape=(1, 28, 28))


def test_a_missing_file(files: Path) -> None:
    (files / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UsageError, match=r"cannot read .*t10k-labels.*dataset-fashion-mnist"):
        open_data("fashion-mnist", shape=(1, 28, 28))


def test_missing_everywhere_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(root: str, download: bool) -> None:
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz\nand more")

    monkeypatch.setenv("DAGDSL_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", offline)
    with pytest.raises(UsageError, match=r"\(Error downloading [^ ]*\): .*dataset-fashion-mnist"):
        open_data("fashion-mnist", shape=(1, 28, 28))
