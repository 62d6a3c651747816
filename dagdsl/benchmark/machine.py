"""Description of the machine, and the set-up of the process for measurements."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from dagdsl.allocator import keep_freed_memory


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware and software that a time depends on."""

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
    """Set up the process for measurements. Call it before torch is imported.

    Sets one thread per core and the allocator of `dagdsl train`, and silences the profiler's
    messages on stderr. Environment variables take precedence. The wait policy of threads stays
    unchanged: waking sleeping threads (`OMP_WAIT_POLICY=PASSIVE`) can take as long as running a
    small network.
    """
    keep_freed_memory()
    os.environ.setdefault("OMP_NUM_THREADS", str(cores()))
    os.environ.setdefault("KINETO_LOG_LEVEL", "9")


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> Machine:
    """Describe the machine that runs this process. Imports torch."""
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
    """The name of the CPU with family and model: some makers name all alike (`AMD EPYC`)."""
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
