"""A step of training -> the most memory that tensors take in it."""

from __future__ import annotations

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

_ALLOCATION = "[memory]"


def peak_bytes(step: Callable[[], object]) -> int:
    """The most bytes that tensors made in `step` take at one time.

    Counted are the allocations and releases of torch's own allocator, one by one: the same number
    in every run, without what the process holds besides and what a library sets aside for itself.
    Tensors that were there before are not counted, be they released in the step or not.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step()
    results = profiled.profiler.kineto_results
    events = [event for event in results.events() if event.name() == _ALLOCATION]
    live = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak
