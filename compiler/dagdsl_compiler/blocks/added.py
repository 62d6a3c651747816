"""Ops added by packages -> the modules that these packages make."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from torch import nn

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Op, Shape
from dagdsl.ops.catalogue import OPS


def make_added(x: Shape, op: Op) -> nn.Module:
    """Make the module of an op that a package added.

    Raises UsageError if the package's function cannot be loaded, fails, or returns no `nn.Module`.
    """
    factory = _factory(op.op)
    try:
        module = factory(x, **op.params)
    except Exception as error:
        raise UsageError(
            f"the module of op `{op.op}` cannot be made: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(module, nn.Module):
        raise UsageError(
            f"the module of op `{op.op}` is not an nn.Module but {type(module).__name__}"
        )
    return module


def path_of(op: str) -> tuple[str, str]:
    """Where the function that makes the module of an added op is: Python module and name."""
    made_by = OPS[op].module
    if isinstance(made_by, str):
        module, _, name = made_by.partition(":")
        return module, name
    return getattr(made_by, "__module__", ""), getattr(made_by, "__qualname__", "")


def _factory(op: str) -> Callable[..., Any]:
    made_by = OPS[op].module
    if callable(made_by):
        return made_by
    path, name = path_of(op)
    try:
        factory: Callable[..., Any] = getattr(import_module(path), name)
    except Exception as error:
        raise UsageError(
            f"the module of op `{op}`, `{made_by}`, cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error
    return factory
