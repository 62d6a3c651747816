"""What measures: the machine by name, and how its threads are set."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from dagdsl.allocator import keep_freed_memory


@dataclass(frozen=True, slots=True)
class Machine:
    """What a time depends on besides the code."""

    cpu: str
    cores: int
    threads: int
    memory_gib: float
    system: str
    python: str
    torch: str

    def __str__(self) -> str:
        return (
            f"{self.cpu}, {self.cores} cores, {self.threads} threads, {self.memory_gib:.0f} GiB, "
            f"{self.system}, Python {self.python}, torch {self.torch}"
        )


def prepare() -> None:
    """Set up the process, unless its environment says otherwise; before torch is imported.

    A thread a core, and memory as `dagdsl train` keeps it. How threads wait is left alone: if they
    sleep at once (`OMP_WAIT_POLICY=PASSIVE`), waking them can take as long as a small network. And
    the profiler does not say on stderr that it starts.
    """
    keep_freed_memory()
    os.environ.setdefault("OMP_NUM_THREADS", str(cores()))
    os.environ.setdefault("KINETO_LOG_LEVEL", "9")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> Machine:
    """The machine this runs on."""
    import torch

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cpu=_cpu(),
        cores=cores(),
        threads=torch.get_num_threads(),
        memory_gib=round(pages / 2**30, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        torch=torch.__version__,
    )


def _cpu() -> str:
    """The model, with the family where its maker leaves it at that (`AMD EPYC`)."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {
        key.strip(): value.strip()
        for key, colon, value in (line.partition(":") for line in lines)
        if colon
    }
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"
