"""A device's name -> the device, known to work."""

from __future__ import annotations

import torch

from dagdsl.errors import UsageError


def pick_device(name: str) -> torch.device:
    """The device called `name`; for `auto` the accelerator, else the CPU. Raises UsageError."""
    if name == "auto":
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"device `{name}` cannot be used here: take cpu or auto") from error
    if device.type == "meta":
        raise UsageError("device `meta` computes nothing: take cpu or auto")
    return device
