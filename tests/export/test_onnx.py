"""ONNX: the results in onnxruntime, and the error if it is not installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from dagdsl.errors import UsageError
from dagdsl_compiler.driver import compile
from dagdsl_compiler.export.artefact import build
from dagdsl_compiler.export.target import Target
from tests.compiler.nets import complete, net_of
from tests.compiler.test_semantics import image, shaken

X = (2, 4, 4)
NET = net_of(complete(1, x=X, init=0.5), x=X)


def test_it_runs_in_onnxruntime() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = shaken(NET, 0, spread=1.0).eval()
    with torch.no_grad():
        # Equal, so that an optimiser may merge them.
        for name, parameter in model.named_parameters():
            if name.endswith("fc.bias"):
                parameter.zero_()
    pins = {"s1: in -> n[0]": True}
    made = build(model, Target("static", pins=pins), backend="eager", to_onnx=True)
    assert sorted(made.files) == ["graph.txt", "ir.json", "model.json", "model.onnx", "model.py"]
    assert made.forms == ["model.py", "eager (static)", "onnx"]
    session = onnxruntime.InferenceSession(made.files["model.onnx"])
    assert [node.name for node in session.get_inputs()] == ["image"]
    assert [node.name for node in session.get_outputs()] == ["logits", "routes.s1"]
    pinned = compile(NET, mode="static", pins=pins, backend="eager")
    pinned.load_state_dict(model.state_dict())
    for size in (1, 40):
        x = image(NET, size)
        y, routes = pinned(x, return_routes=True)
        got = session.run(None, {"image": x.numpy()})
        np.testing.assert_allclose(got[0], y.numpy(), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(got[1], routes["s1"].numpy(), rtol=1e-4, atol=1e-4)


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"ONNX needs onnx, .*: `pip install 'dagdsl\[onnx\]'`"):
        build(shaken(NET, 0), Target("dense"), backend="eager", to_onnx=True)
