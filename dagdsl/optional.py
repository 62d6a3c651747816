"""Packages that only some features need: imported when such a feature is used."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any

from dagdsl.errors import UsageError

PACKAGES = MappingProxyType(
    {
        "PIL": "pillow",
        "lsprotocol": "'dagdsl[lsp]'",
        "networkx": "networkx",
        "numpy": "numpy",
        "pygls": "'dagdsl[lsp]'",
        "safetensors": "safetensors",
        "sklearn": "scikit-learn",
        "torch": "torch",
        "torchvision": "torchvision",
    }
)
"""Top-level module -> what to `pip install` for it."""


def import_optional(module: str, feature: str) -> Any:
    """Import a module that only `feature` needs.

    Raises UsageError if its package is not installed: "FEATURE needs scikit-learn, which is not
    installed: pip install scikit-learn".
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = missing_package(error, feature)
        if missing is None:
            raise
        raise UsageError(missing) from None


def missing_package(error: ModuleNotFoundError, feature: str) -> str | None:
    """The sentence about a package that is not installed; None if `PACKAGES` lacks it."""
    package = PACKAGES.get((error.name or "").partition(".")[0])
    if package is None:
        return None
    name = package.strip("'")
    return f"{feature} needs {name}, which is not installed: pip install {package}"
