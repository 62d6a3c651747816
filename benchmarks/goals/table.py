"""The goals: what is compared, the limit of the ratio, and the group that measures it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table of goals."""

    what: str
    limit: str
    group: str


GOALS: Mapping[str, Goal] = {
    "static": Goal(
        "static net from `.dg` against torchvision's, both compiled", "<= 1.00 + 0.03", "static"
    ),
    "dense inference": Goal(
        "DG net, dense, against its static chain, both compiled: inference", "<= 1.05", "dense"
    ),
    "dense training": Goal(
        "DG net, dense, against its static chain, both compiled: training step",
        "<= 1.10",
        "training",
    ),
    "sparse": Goal(
        "best sparse mode against dense compiled, at active MAC share `a`", "<= a + 0.05", "sparse"
    ),
    "auto": Goal("mode `auto` against dense compiled, at any share", "<= 1.03", "sparse"),
    "eager": Goal(
        "DG training step, compiled, against hand-written eager DG", "<= 0.50", "training"
    ),
    "memory": Goal(
        "peak training memory, DG-ResNet-50 against its static chain", "<= 1.15", "training"
    ),
    "cold": Goal(
        "cold compilation against `torch.compile` of the hand-written module", "<= 0.50", "cold"
    ),
    "start": Goal(
        "`dagdsl run` from artefact to first prediction, beyond importing torch", "<= 1 s", "start"
    ),
}

GROUPS = tuple(dict.fromkeys(goal.group for goal in GOALS.values()))
