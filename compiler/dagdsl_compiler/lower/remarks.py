"""What the compiler did at each place of a net, or did not, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import fx

from dagdsl_compiler.lower.writer import IR

_REMARKS = "remarks"


@dataclass(frozen=True, slots=True)
class Remark:
    """A fact about a place of the IR: whether something was done there, and why, in a few words."""

    place: str
    done: bool
    reason: str

    def __str__(self) -> str:
        return f"{'+' if self.done else '-'} {self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the compiler, mostly a pass, and all that it had to say."""

    name: str
    remarks: tuple[Remark, ...]

    def __str__(self) -> str:
        lines = dict.fromkeys(map(str, self.remarks))
        return "\n".join([self.name, *(f"  {line}" for line in lines or ["nothing to do"])])


def did(node: fx.Node, reason: str) -> Remark:
    """Something was done where `node` comes from."""
    return Remark(node.meta[IR], True, reason)


def did_not(node: fx.Node, reason: str) -> Remark:
    """Something could have been done where `node` comes from, but was not."""
    return Remark(node.meta[IR], False, reason)


def note(module: fx.GraphModule, step: str, remarks: Iterable[Remark]) -> None:
    """Keep what a step says with its graph."""
    module.meta.setdefault(_REMARKS, []).append(Step(step, tuple(remarks)))


def explain(module: fx.GraphModule) -> list[Step]:
    """All steps that made a graph, in order, with their remarks. `str` of each is for people."""
    return list(module.meta.get(_REMARKS, ()))
