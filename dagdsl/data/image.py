"""An image file -> a tensor of pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import torch
from PIL import Image
from torch import Tensor

from dagdsl.errors import UsageError
from dagdsl.optional import import_optional

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


def open_image(path: Path, channels: int) -> Image.Image:
    """Decode a file: grey for one channel, else RGB. Raises UsageError if it cannot be read."""
    try:
        with Image.open(path) as file:
            return file.convert("L" if channels == 1 else "RGB")
    except Exception as error:
        # Pillow's decoders raise almost any exception on damaged files.
        raise UsageError(f"cannot read the image {path}: {error}") from error


def centre_box(size: tuple[int, int], aspect: float, share: float) -> Box:
    """The largest centred box of the given aspect (width / height), scaled by `share` per side."""
    width, height = size
    w = min(width, height * aspect) * share
    h = w / aspect
    return (width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2


def resize(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """Crop an image to `box` and resize it to `size` (width, height)."""
    return image.resize(size, Image.Resampling.BILINEAR, box)


def pixels_of(image: Image.Image) -> Tensor:
    """Return the pixels as uint8 `[C, H, W]`."""
    array = import_optional("numpy", "reading images").array(image)
    return torch.from_numpy(array).view(*array.shape[:2], -1).movedim(-1, 0)
