"""Convolutions with packed weights compute the same as plain ones, run op by op."""

from __future__ import annotations

import pytest
import torch
from torch import fx

import dagdsl
from dagdsl_compiler.driver import compile, explain
from dagdsl_compiler.export.target import Prepared, Target
from dagdsl_compiler.inference import Mode
from dagdsl_compiler.runtime.packed import ACTIVATIONS, PackedConvolution

NET = """
edition 1
router gate = gap |> fc |> sigmoid |> threshold(0.5)
net Every {
  input x: f32[4, 6, 6]
  node a: conv(8) |> relu |> gap
  node b: conv(8, groups = 2) |> relu6 |> gap
  node c: dwconv(stride = 2) |> silu |> conv(8) |> gelu |> gap
  node d: conv(8, kernel = 5, dilation = 2) |> hardswish |> gap
  node e: conv(8, kernel = 1, bias = true) |> sigmoid |> gap
  node f: conv(8) |> bn |> tanh |> gap
  node g: conv(8) |> hardsigmoid |> gap
  node y: fc(3)
  x -> a, b, c, d, e, f, g via gate
  a, b, c, d, e, f, g -> y
  output y
}
"""


@pytest.mark.parametrize("mode", ["static", "grouped", "branch"])
def test_every_activation_and_layout(mode: Mode) -> None:
    net = dagdsl.loads(NET)
    plain = compile(net, backend="eager", seed=0).eval()
    packed = Prepared(plain, Target(mode)).graph(generated=True)
    found = [part for part in packed.modules() if isinstance(part, PackedConvolution)]
    assert len(found) == NET.count("conv(")
    activations = [
        node.kwargs.get("activation")
        for part in packed.modules()
        if isinstance(part, fx.GraphModule)
        for node in part.graph.find_nodes(op="call_module")
        if isinstance(part.get_submodule(str(node.target)), PackedConvolution)
    ]
    assert set(activations) == {None, *(function.__name__ for function in ACTIVATIONS)}
    for layout in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(1 if mode == "branch" else 5, 4, 6, 6).contiguous(memory_format=layout)
        torch.testing.assert_close(packed(x)[0], plain(x))


def test_not_in_double_precision() -> None:
    model = compile(dagdsl.loads(NET), backend="eager", seed=0).double()
    packed = Prepared(model, Target("grouped")).graph(generated=True)
    (step,) = [s for s in explain(packed) if s.name == "pack_convolutions"]
    assert {remark.reason for remark in step.remarks} == {"its weights are float64"}
    assert not any(remark.done for remark in step.remarks)
