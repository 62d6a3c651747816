"""An image file becomes the same input as in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dagdsl.data import open_data
from dagdsl.data.folder import CENTRE, IMAGENET
from dagdsl.errors import UsageError
from dagdsl.prediction import Predictor, input_of, open_edges
from dagdsl_compiler.export.manifest import Images


def test_image_of_a_folder(tmp_path: Path) -> None:
    shape = (3, 16, 24)
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            path = tmp_path / split / name / "0.png"
            path.parent.mkdir(parents=True)
            pixels = np.random.default_rng(len(name + split)).integers(0, 255, (40, 30, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            Image.fromarray(pixels.astype(np.uint8)).save(path.with_name("1.png"))
    data = open_data(f"folder:{tmp_path}", shape=shape)
    images = Images("", data.classes, IMAGENET[3].mean, IMAGENET[3].std, CENTRE, "logits")
    expected, _ = data.test.pick([0])
    got = input_of(tmp_path / "test" / "cat" / "0.png", shape, images)
    torch.testing.assert_close(got, expected[0])


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_image_of_a_small_data_set(tmp_path: Path, channels: int) -> None:
    shape = (channels, 8, 8)
    data = open_data("digits", shape=shape)
    expected, _ = data.test.pick([5])
    mean, std = data.normalisation.mean, data.normalisation.std
    pixels = (expected[0, 0] * std[0] + mean[0]) * 255
    path = tmp_path / "digit.png"
    Image.fromarray(pixels.round().byte().numpy()).save(path)
    images = Images("digits", data.classes, mean, std, 1.0, "logits")
    torch.testing.assert_close(input_of(path, shape, images), expected[0])


def test_open_edges() -> None:
    edges = open_edges(("in", "a", "out"), [[0, 0.5, 0], [0, 0, 1.5], [0, 0, 0]])
    assert [(e.source, e.target, e.weight) for e in edges] == [("in", "a", 0.5), ("a", "out", 1.5)]


def test_no_artefact(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no artefact: make one with `dagdsl build NET"):
        Predictor(tmp_path)
