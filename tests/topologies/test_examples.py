"""The published topologies in examples/topologies/: short, free of warnings, trainable, drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import dagdsl
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net
from dagdsl.viz.detail import block_net
from dagdsl.viz.svg import to_svg
from dagdsl_compiler.driver import compile
from dagdsl_compiler.emit.load import load_source
from dagdsl_compiler.emit.source import emit_source
from dagdsl_compiler.probe import compare
from tests.emit.emitted import assert_same

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "topologies").glob("*.dg"))
MAX_LINES = 60
NAMES = {
    "convnet_aig", "darts", "densenet", "dgnet", "dynamic_routing", "inception",
    "mixture_of_experts", "msdnet", "randwire", "skipnet", "toponet", "unet",
}  # fmt: skip

each = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


@cache
def net_of(path: Path) -> Net:
    return dagdsl.load(path)


def test_none_is_missing() -> None:
    assert {path.stem for path in EXAMPLES} == NAMES


@each
def test_checks_without_diagnostics(path: Path) -> None:
    assert analyse_file(path).diagnostics == []


@each
def test_is_short_and_cites_its_paper(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert sum(bool(re.sub(r"#.*", "", line).strip()) for line in lines) <= MAX_LINES
    opening = lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    assert "arXiv" in " ".join(opening)


@each
def test_source_is_the_network(path: Path) -> None:
    assert_same(net_of(path))


@each
def test_builds(path: Path) -> None:
    """The check that `dagdsl build` makes before it writes: float32, at all routing extremes."""
    net = net_of(path)
    reference = compile(net, backend="eager", seed=0)
    difference = compare(net, reference, load_source(emit_source(net)), with_routes=True)
    assert difference.is_tolerable, difference


@each
def test_one_step_trains_every_parameter(path: Path) -> None:
    net = net_of(path)
    model = compile(net, backend="eager", seed=0).train()
    torch.manual_seed(0)
    outputs = model(*(torch.randn(8, *node.shape) for node in net.inputs))
    losses = [_loss(logits) for logits in _tensors(outputs)]
    torch.autograd.backward(torch.stack(losses).sum())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
    optimizer.step()


def _loss(logits: Tensor) -> Tensor:
    """Cross-entropy with random classes, per image or per pixel."""
    classes = torch.randint(logits.shape[1], (len(logits), *logits.shape[2:]))
    return F.cross_entropy(logits, classes)


def _tensors(outputs: Tensor | dict[str, object]) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    return [t for value in outputs.values() for t in _tensors(value)]  # type: ignore[arg-type]


def test_early_exits_are_chosen_per_sample() -> None:
    path = next(path for path in EXAMPLES if path.stem == "msdnet")
    model = compile(dagdsl.load(path, sure=0.5), backend="eager", seed=0).eval()
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        if name.endswith("fc.weight"):
            # Untrained classifiers are never confident.
            torch.nn.init.normal_(parameter, std=2.0)
    outputs = model(torch.randn(16, 3, 32, 32))
    exits = list(outputs["exits"].values())
    answered = []
    for sample, answer in enumerate(outputs["answer"]):
        sure = [i for i, e in enumerate(exits) if e[sample].softmax(0).max() > 0.5]
        answered.append(sure[0] if sure else len(exits) - 1)
        torch.testing.assert_close(answer, exits[answered[-1]][sample])
    assert len(set(answered)) > 1


def test_the_file_sets_the_number_of_chosen_experts() -> None:
    path = next(path for path in EXAMPLES if path.stem == "mixture_of_experts")
    model = compile(dagdsl.load(path, experts=5, chosen=3), backend="eager", seed=0).eval()
    _, routes = model(torch.randn(4, 3, 32, 32), return_routes=True)
    weights = routes["s1.n.0.mixture"][:, 1:-1, -1]
    assert (weights > 0).sum(1).tolist() == [3] * 4
    torch.testing.assert_close(weights.sum(1), torch.ones(4))


def test_a_skipped_block_is_the_identity() -> None:
    path = next(path for path in EXAMPLES if path.stem == "convnet_aig")
    model = compile(dagdsl.load(path, depth=1), backend="eager", seed=0).eval()
    for name, parameter in model.named_parameters():
        if ".routers." in name and name.endswith("fc_2.bias"):
            torch.nn.init.constant_(parameter, -20.0)
    x = torch.randn(2, 3, 32, 32)
    _, routes = model(x, return_routes=True)
    assert set(routes["s1.n.0.gated"].unique().tolist()) <= {0.0, 1.0}
    assert not routes["s1.n.0.gated"][:, 1, 2].any()


PICTURES = sorted((ROOT / "docs" / "images" / "topologies").glob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_picture_in_the_docs_is_up_to_date(
    picture: Path, golden: Callable[[Path, str], None]
) -> None:
    """`NAME.svg` shows the net, `NAME-BLOCK.svg` one of its blocks."""
    name, _, block = picture.stem.partition("-")
    net = net_of(ROOT / "examples" / "topologies" / f"{name}.dg")
    golden(picture, to_svg(block_net(net, block) if block else net))


def test_docs_show_them_all() -> None:
    text = (ROOT / "docs" / "topologies.md").read_text(encoding="utf-8")
    assert {path.stem for path in PICTURES} >= NAMES
    for name in NAMES:
        assert f"examples/topologies/{name}.dg" in text
    for picture in PICTURES:
        assert f"images/topologies/{picture.name}" in text
