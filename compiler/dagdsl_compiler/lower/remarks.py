"""Remarks: what the compiler did or did not do at each place of a net, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import fx

from dagdsl_compiler.lower.writer import IR

_REMARKS = "remarks"


@dataclass(frozen=True, slots=True)
class Remark:
    """Whether something was done at a place of the IR, and a short reason."""

    place: str
    done: bool
    reason: str

    def __str__(self) -> str:
        return f"{'+' if self.done else '-'} {self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class StepRemarks:
    """The name of a step of the compiler, usually a pass, and its remarks."""

    name: str
    remarks: tuple[Remark, ...]

    def __str__(self) -> str:
        lines = dict.fromkeys(map(str, self.remarks))
        return "\n".join([self.name, *(f"  {line}" for line in lines or ["nothing to do"])])


def did(node: fx.Node, reason: str) -> Remark:
    """A remark that something was done at the place of `node`."""
    return Remark(node.meta[IR], True, reason)


def did_not(node: fx.Node, reason: str) -> Remark:
    """A remark that something could not be done at the place of `node`."""
    return Remark(node.meta[IR], False, reason)


def note(module: fx.GraphModule, step: str, remarks: Iterable[Remark]) -> None:
    """Store the remarks of a step with its graph."""
    module.meta.setdefault(_REMARKS, []).append(StepRemarks(step, tuple(remarks)))


def explain(module: fx.GraphModule) -> list[StepRemarks]:
    """The steps that made a graph, in order, with their remarks. Each has a readable `str`."""
    return list(module.meta.get(_REMARKS, ()))
