"""`digits`: scikit-learn's bundled handwritten digits, 1,797 grey images of 8 x 8 (BSD-3).

The set has no official split: a fixed, stratified 20 % (359 images) are the test split.
"""

from __future__ import annotations

import numpy as np
import torch

from dagdsl.data.splits import Data, Wanted, hold_out
from dagdsl.data.tensors import Augmentation, make_data

TEST_SHARE = 0.2


def open_digits(argument: str, wanted: Wanted) -> Data:
    """The opener of `digits`; it takes no argument."""
    # Slow to import: not for those who train on something else.
    from sklearn.datasets import load_digits

    bundled = load_digits()
    # 17 grey levels, 0 to 16: in steps of 255 / 16 none are lost.
    grey = np.rint(bundled.images * (255 / 16)).astype(np.uint8)
    images = torch.from_numpy(grey).unsqueeze(1)
    labels = torch.from_numpy(bundled.target.astype(np.int64))
    kept, held = map(torch.from_numpy, hold_out(labels.tolist(), TEST_SHARE))
    return make_data(
        "digits",
        tuple(map(str, bundled.target_names)),
        train=(images[kept], labels[kept]),
        test=(images[held], labels[held]),
        augmentation=Augmentation(shift=1, flip=False),
        wanted=wanted,
    )
