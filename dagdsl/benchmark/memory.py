"""The peak memory of tensors in a training step."""

from __future__ import annotations

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

_ALLOCATION = "[memory]"


def peak_bytes(step: Callable[[], object]) -> int:
    """Return the peak bytes of the tensors allocated in `step`.

    Sums the allocations and releases of torch's CPU allocator, so the number is the same in every
    run and excludes other memory of the process and the caches of libraries. Tensors allocated
    before the step are not counted, whether or not the step releases them.
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
