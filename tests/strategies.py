"""Hypothesis strategies: random valid networks, as `.dg` text and as IR; small, so they run fast.

`dg_texts()` draws texts that load without errors: one to three stages of one to four nodes, wired
by patterns or edge by edge, with routers of every kind, all merges except `first_confident`, blocks
that are pipes and blocks with a body. Every net reads 8 x 8 images and has at most 8 channels
outside blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

import dagdsl
from dagdsl.ir.nodes import Net

Draw = Callable[[st.SearchStrategy[Any]], Any]

SIZE = 8
"""Height and width of the images that the nets read."""

# Steps that keep the shape of any feature map.
_KEEPING = (
    "conv |> bn |> relu",
    "dwconv |> bn |> silu",
    "conv(kernel = 1, bias = true) |> gelu",
    "conv(in.channels * 2, kernel = 1) |> relu6 |> conv(in.channels, kernel = 1) |> bn",
    "conv(kernel = 5) |> gn(groups = 1) |> hardswish",
    "conv(dilation = 2) |> tanh",
    "maxpool(stride = 1)",
    "avgpool(stride = 1) |> identity",
    "dropout(0.3)",
    "bn |> hardsigmoid",
)
_CARRIERS = ("conv(kernel = 1)", "dropout(0.2)", "avgpool(kernel = 3, stride = 1) |> bn")
_MERGES = ("", "", "", "mul |> ", "mean |> ", "max |> ", "concat |> conv(in.channels) |> ")
_HEADS = ("gap |> fc(3)", "gap |> dropout(0.1) |> fc(4) |> relu |> fc(3)", "flatten |> fc(3)")


def dg_texts() -> st.SearchStrategy[str]:
    """Draw the text of a valid `.dg` file with one net."""
    return st.composite(_file)()


def nets() -> st.SearchStrategy[Net]:
    """Draw a valid net."""
    return dg_texts().map(dagdsl.loads)


@dataclass(slots=True)
class _Declared:
    """The routers and blocks declared so far, as expressions that use them."""

    routers: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    def gates(self) -> st.SearchStrategy[str]:
        return st.sampled_from(["", *(f" via {router}" for router in self.routers)])

    def bodies(self) -> st.SearchStrategy[str]:
        return st.sampled_from([*_KEEPING, *self.blocks * 3])


def _file(draw: Draw) -> str:
    known = _Declared()
    lines = ["param tau: float = 0.4 in 0.0..0.9"]
    for number in range(draw(st.integers(1, 3))):
        lines.append(f"router gate{number} = {_router(draw)}")
        known.routers.append(f"gate{number}")
    lines.append(f"router tuned(tau) = {_reads(draw)}gap |> fc |> sigmoid |> threshold(tau)")
    known.routers += ["tuned(tau)", "tuned(0.2)", "learned", "constant(value = 0.5)"]
    for number in range(draw(st.integers(0, 2))):
        lines += _block(draw, f"block{number}", known)
    lines += _net(draw, known)
    return "\n".join(lines) + "\n"


_READS = st.sampled_from(["", 'reads("source") |> ', 'reads("target") |> ', 'reads("stage") |> '])


def _reads(draw: Draw) -> str:
    return str(draw(_READS))


def _router(draw: Draw) -> str:
    logits = draw(
        st.sampled_from(
            [
                "learned",
                "learned(init = 0.3)",
                "constant(value = 0.6)",
                "gap |> fc",
                "gap |> fc(4) |> relu |> dropout(0.2) |> fc(init = 0.1)",
                'gap |> fc |> noise("gumbel", scale = 0.5)',
                'gap |> fc |> noise("logistic", temperature = 0.5)',
                "conv(4, kernel = 1) |> gap |> fc(init = 0.0)",
            ]
        )
    )
    steps = [logits]
    weights = draw(st.sampled_from(["sigmoid", "softmax", "relu_tanh", "hard_concrete", None]))
    steps += [weights] if weights else []
    topk = draw(st.sampled_from([[], [], [], ["topk(1)"], ["topk(2)"]]))
    steps += topk
    if weights:
        # Logits can be negative: their sum may be close to zero, where quotients are unstable.
        steps += draw(st.sampled_from([[], ["normalise"]]))
    if draw(st.booleans()):
        tau = draw(st.sampled_from(["0.0", "0.3", "0.5", "tau"]))
        train = draw(st.sampled_from(["hard", "soft", "straight_through"]))
        dead = "zero" if topk else draw(st.sampled_from(["zero", "keep_strongest"]))
        binary = "" if train == "soft" else draw(st.sampled_from(["", ", binary = true"]))
        steps.append(f'threshold({tau}, train = "{train}", dead = "{dead}"{binary})')
    reads = "" if logits.startswith(("learned", "constant")) else _reads(draw)
    return reads + " |> ".join(steps)


def _block(draw: Draw, name: str, known: _Declared) -> list[str]:
    bodies = [draw(known.bodies()) for _ in range(draw(st.integers(1, 2)))]
    if draw(st.booleans()):
        known.blocks += [name, f"{name}(grow = 3)"]
        grown = "conv(in.channels * grow, kernel = 1) |> bn |> relu |> conv(in.channels)"
        return [f"block {name}(grow = 2) = {grown} |> {bodies[0]}"]
    known.blocks.append(name)
    if draw(st.booleans()):
        squeeze = "gap |> fc(2) |> relu |> fc(in.channels) |> sigmoid"
        graph = [f"  node squeeze: {squeeze}", "  node scale: mul", "  in -> squeeze -> scale"]
        return [f"block {name} {{", *graph, "  in -> scale -> out", "}"]
    names = [f"x{i}" for i in range(len(bodies))]
    return [f"block {name} {{", *_graph(draw, known, names, bodies), "}"]


def _graph(draw: Draw, known: _Declared, names: Sequence[str], bodies: Sequence[str]) -> list[str]:
    """Nodes that keep the shape of their graph, each wired to some of its predecessors."""
    lines = []
    for name, body in zip(names, bodies, strict=True):
        merge = draw(st.sampled_from(_MERGES))
        lines.append(f"  node {name}: {merge}{body}")
    vertices = ["in", *names, "out"]
    pairs: set[tuple[int, int]] = set()
    for target in range(1, len(vertices)):
        choice = st.sets(st.integers(0, target - 1), min_size=1, max_size=3)
        pairs |= {(source, target) for source in draw(choice)}
    last = len(vertices) - 1
    pairs |= {(i, last) for i in range(1, last) if i not in {source for source, _ in pairs}}
    for source, target in sorted(pairs):
        through = draw(st.sampled_from(["", "", "", *_CARRIERS]))
        gate = draw(known.gates())
        through = f" through {through}" if through else ""
        lines.append(f"  {vertices[source]} -> {vertices[target]}{gate}{through}")
    return lines


def _stage(draw: Draw, name: str, known: _Declared) -> list[str]:
    lines = [f"  stage {name} {{"]
    lines.append(f"    channels = {draw(st.sampled_from([4, 6, 8]))}")
    lines.append(f"    stride = {draw(st.sampled_from([1, 1, 2]))}")
    lines.append(f"    merge = {draw(st.sampled_from(['sum', 'sum', 'mean', 'max']))}")
    if draw(st.booleans()):
        lines.append("    entry = conv(channels, kernel = 3, stride = stride) |> bn |> relu6")
    count = draw(st.integers(1, 4))
    wiring = draw(st.sampled_from(["complete", "chain", "er(p = 0.5, seed = 3)", "wires"]))
    if wiring == "wires":
        bodies = [draw(known.bodies()) for _ in range(count)]
        names = ["a", "b", "forward", "x"][:count]
        return [*lines, *(f"  {line}" for line in _graph(draw, known, names, bodies)), "  }"]
    lines.append(f"    node n[{count}]: {draw(known.bodies())}")
    lines.append(f"    connect {wiring}{draw(known.gates())}")
    return [*lines, "  }"]


def _net(draw: Draw, known: _Declared) -> list[str]:
    lines = ["net Random(classes: int = 3) {", f"  input image: f32[3, {SIZE}, {SIZE}]"]
    first = "image"
    if draw(st.integers(0, 4)) == 0:
        lines.append(f"  input depth: f32[3, {SIZE}, {SIZE}]")
        first = "image, depth"
    lines.append(f"  node stem: conv(4, stride = {draw(st.sampled_from([1, 2]))}) |> bn |> relu")
    stages = [f"s{i + 1}" for i in range(draw(st.integers(1, 3)))]
    for stage in stages:
        lines += _stage(draw, stage, known)
    lines.append(f"  node logits: {draw(st.sampled_from(_HEADS))}")
    lines.append("  " + " -> ".join([first, "stem", *stages, "logits"]))
    lines.append("  output logits")
    if draw(st.booleans()):
        taps = ", ".join(f"p{i} = {stage}" for i, stage in enumerate(stages))
        lines.append(f"  output features {{ {taps} }}")
    return [*lines, "}"]
