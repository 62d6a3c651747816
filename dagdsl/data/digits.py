"""`digits`: the handwritten digits bundled with scikit-learn, 1,797 grey 8 x 8 images (BSD-3).

The data set has no official split. A fixed, stratified 20 % (359 images) is the test split.
"""

from __future__ import annotations

import torch

from dagdsl.data.splits import Data, DataRequest, hold_out
from dagdsl.data.tensors import Augmentation, make_data
from dagdsl.optional import import_optional

TEST_SHARE = 0.2


def open_digits(argument: str, request: DataRequest) -> Data:
    """Open `digits`, which takes no argument."""
    # Slow to import, so only when this data set is used.
    np = import_optional("numpy", "reading data sets")
    bundled = import_optional("sklearn.datasets", "the data set `digits`").load_digits()
    # The 17 grey levels 0 to 16, scaled by 255 / 16, remain distinct as integers.
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
        request=request,
    )
