"""The graph, run by PyTorch op by op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import fx


def eager(module: fx.GraphModule) -> Callable[..., Any]:
    """The graph module itself."""
    return module
