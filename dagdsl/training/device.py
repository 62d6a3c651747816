"""The name of a device -> the device, after checking that it works."""

from __future__ import annotations

import torch

from dagdsl.errors import UsageError


def pick_device(name: str) -> torch.device:
    """Return the device `name`; `auto` is the accelerator if there is one, else the CPU.

    Raises UsageError if the device cannot be used.
    """
    if name == "auto":
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(
            f"device `{name}` cannot be used on this machine: choose `cpu` or `auto`"
        ) from error
    if device.type == "meta":
        raise UsageError("device `meta` computes nothing: choose `cpu` or `auto`")
    return device
