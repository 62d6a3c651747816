"""A compiled package: it is correct, and loads with torch alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dagdsl.errors import UsageError
from dagdsl_compiler.export.artefact import build
from dagdsl_compiler.export.package import Package
from dagdsl_compiler.export.target import Target
from dagdsl_compiler.model import Model
from tests.cli.run import environment
from tests.compiler.nets import complete, net_of
from tests.compiler.test_semantics import image, shaken

X = (2, 4, 4)
NET = net_of(complete(1, x=X, init=0.5), x=X)

ALONE = """
import sys, torch
model = torch._inductor.aoti_load_package(sys.argv[1])
x, y, routes = torch.load(sys.argv[2])
got, got_routes = model(x)
torch.testing.assert_close(got, y, rtol=1e-4, atol=1e-4)
torch.testing.assert_close(dict(got_routes), routes, rtol=1e-4, atol=1e-4)
assert not any(name.startswith("dagdsl") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def model() -> Model:
    return shaken(NET, 0, spread=1.0).eval()


@pytest.fixture(scope="module")
def package(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.compiler.reset()
    path = tmp_path_factory.mktemp("package") / "model.pt2"
    path.write_bytes(build(model, Target("grouped")).files["model.pt2"])
    return path


def test_any_batch_size(model: Model, package: Path) -> None:
    loaded = Package(package)
    for size in (1, 2, 50):
        x = image(NET, size)
        y, routes = model(x, return_routes=True)
        torch.testing.assert_close(loaded.run([x]), [y, routes["s1"]], rtol=1e-4, atol=1e-4)


def test_the_file_keeps_the_weights_of_the_model(model: Model, package: Path) -> None:
    loaded = Package(package)
    name = "s1.routers.gate_in.fc.bias"
    assert name in loaded.replaceable
    x = image(NET, 3)
    loaded.replace({name: torch.full((2,), -12.0)})
    assert not (loaded.run([x])[1] != 0).any()
    # Replacing weights does not change the file.
    torch.testing.assert_close(Package(package).run([x])[0], model(x), rtol=1e-4, atol=1e-4)


def test_one_sample(model: Model) -> None:
    """For one sample torch decomposes a layer with one output; its bias must stay replaceable."""
    made = build(model, Target("dense", batch=1))
    assert made.forms == ["model.py", "inductor (dense)"]


def test_loaded_with_torch_alone(model: Model, package: Path, tmp_path: Path) -> None:
    x = image(NET, 7)
    expected = tmp_path / "expected.pt"
    torch.save((x, *model(x, return_routes=True)), expected)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(package), str(expected)],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_not_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    broken = tmp_path / "model.pt2"
    broken.write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"cannot load .*model\.pt2 with torch"):
        Package(broken)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    if torch.backends.cpu.get_cpu_capability() != "DEFAULT":
        with pytest.raises(UsageError, match="was built for AVX"):
            Package(package)
