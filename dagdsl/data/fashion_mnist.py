"""`fashion-mnist`: 60,000 + 10,000 grey 28 x 28 images in the idx format of MNIST (MIT licence).

Searched in `$DAGDSL_DATA/fashion-mnist`, in the folder of the Debian package, and in the user's
cache. If none has it, torchvision downloads it to the cache.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from dagdsl.data.splits import Data, DataRequest
from dagdsl.data.tensors import Augmentation, make_data
from dagdsl.errors import UsageError
from dagdsl.optional import import_optional

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
HOW_TO_GET_IT = (
    "install the Debian package dataset-fashion-mnist, or put its four *-ubyte.gz files into "
    "$DAGDSL_DATA/fashion-mnist"
)


def open_fashion_mnist(argument: str, request: DataRequest) -> Data:
    """Open `fashion-mnist`, which takes no argument."""
    folder = next((f for f in _search_folders() if _file(f, "train", "images").exists()), None)
    folder = folder or _download()
    return make_data(
        "fashion-mnist",
        CLASSES,
        train=_read_part(folder, "train"),
        test=_read_part(folder, "t10k"),
        augmentation=Augmentation(shift=2, flip=True),
        request=request,
    )


def _search_folders() -> Iterator[Path]:
    if chosen := os.environ.get("DAGDSL_DATA"):
        yield Path(chosen) / "fashion-mnist"
    yield DEBIAN
    yield _raw_folder(_cache())


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dagdsl"


def _raw_folder(root: Path) -> Path:
    """The folder below `root` to which torchvision downloads the files."""
    return root / "FashionMNIST" / "raw"


def _download() -> Path:
    # Slow to import and rarely needed.
    datasets = import_optional("torchvision.datasets", "downloading Fashion-MNIST")
    try:
        datasets.FashionMNIST(str(_cache()), download=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"Fashion-MNIST was not found and cannot be downloaded ({reason}): {HOW_TO_GET_IT}"
        ) from error
    return _raw_folder(_cache())


def _file(folder: Path, part: str, what: str) -> Path:
    rank = {"images": 3, "labels": 1}[what]
    return folder / f"{part}-{what}-idx{rank}-ubyte.gz"


def _read_part(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    images_file, labels_file = _file(folder, part, "images"), _file(folder, part, "labels")
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.dim() != 3 or labels.dim() != 1:
        raise UsageError(f"{images_file} or {labels_file.name} does not hold images and labels")
    if len(images) != len(labels):
        raise UsageError(
            f"{images_file} holds {len(images)} images, but {labels_file.name} {len(labels)} labels"
        )
    if set(labels.tolist()) != set(range(len(CLASSES))):
        raise UsageError(f"{labels_file} does not hold the labels 0 to {len(CLASSES) - 1}")
    return images.unsqueeze(1), labels.long()


def read_idx(path: Path) -> Tensor:
    """Read a gzipped idx file of bytes into a uint8 tensor. Raises UsageError if that fails.

    The format: two zero bytes, the byte 8 (type unsigned byte), the number of axes, the size of
    each axis as a big-endian 32-bit integer, the data.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"cannot read {path}: {error}; {HOW_TO_GET_IT}") from error
    if content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        raise UsageError(f"{path} is not an idx file of bytes; {HOW_TO_GET_IT}")
    start = 4 + 4 * content[3]
    np = import_optional("numpy", "reading data sets")
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist())
    values = np.frombuffer(content, dtype=np.uint8, offset=start)
    if len(values) != prod(shape):
        raise UsageError(f"{path} is truncated or damaged; {HOW_TO_GET_IT}")
    return torch.from_numpy(values.reshape(shape).copy())
