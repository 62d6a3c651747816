"""The public functions that make models and artefacts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dagdsl.ir.nodes import Net

if TYPE_CHECKING:
    import torch
    from torch import fx, nn

    from dagdsl.prediction import Prediction
    from dagdsl_compiler.driver import Mode, Model, Profile, StepRemarks


def compile(
    net: Net,
    *,
    mode: Mode = "dense",
    pins: Mapping[str, bool] | None = None,
    profile: Profile | None = None,
    backend: str = "inductor",
    device: str | torch.device = "cpu",
    seed: int | None = None,
    checkpoint: Sequence[str] | Literal["all"] = (),
) -> Model:
    """Compile a network to an `nn.Module` with fresh weights.

    `model(x)` takes a tensor `[B, *shape]` for each input and returns the outputs of the network;
    `model(x, return_routes=True)` also returns the routes, a tensor `[B, V, V]` of edge weights for
    each graph with routers and `V` nodes.

    Args:
        net: The network.
        mode: `dense` computes every node and is the only mode that trains. The others only
            evaluate, skip nodes, and give the same results. `static` leaves out what `pins`,
            constant gates and the profile rule out. `grouped` runs each node on the samples that
            need it. `branch` takes one sample at a time and runs each node only if it is needed.
            `auto` decides for each node, from `profile`.
        pins: Edges fixed as open or closed, such as `{"s1: in -> n[0]": False}`.
        profile: How often edges are open; `dagdsl.profile` measures it.
        backend: `inductor` generates code at the first call, `eager` runs the graph with PyTorch.
        device: Where the model is put.
        seed: Fixes the initial weights and leaves the global random state alone.
        checkpoint: Stages whose activations are recomputed in the backward pass to save memory, by
            name, or `all`.

    Raises UsageError for an unknown mode, backend or stage, and for pins or a profile that do not
    belong to this network or mode.

    >>> import dagdsl, torch
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> model = dagdsl.compile(net, backend="eager", seed=0)
    >>> logits, routes = model(torch.zeros(2, 1, 8, 8), return_routes=True)
    >>> logits.shape, list(routes)
    (torch.Size([2, 10]), ['s1', 's2', 's3'])
    """
    from dagdsl_compiler import driver

    return driver.compile(
        net,
        mode=mode,
        pins=pins,
        profile=profile,
        backend=backend,
        device=device,
        seed=seed,
        checkpoint=checkpoint,
    )


def load_torchvision_weights(model: nn.Module, state_dict: Mapping[str, torch.Tensor]) -> None:
    """Copy the weights of a torchvision model into a network of the same architecture.

    `state_dict` is that of the torchvision model, such as `resnet50` for the network `resnet50` of
    `std/models/resnet.dg`. Copies all weights or none. Raises UsageError naming the first layers
    that do not match.

    >>> import dagdsl, torch
    >>> net = dagdsl.loads("net N { input x: f32[4]  node y: fc(2)  x -> y  output y }")
    >>> model = dagdsl.compile(net, backend="eager")
    >>> weights = {"fc.weight": torch.ones(2, 4), "fc.bias": torch.zeros(2)}
    >>> dagdsl.load_torchvision_weights(model, weights)
    >>> model(torch.ones(1, 4))
    tensor([[4., 4.]], grad_fn=<AddmmBackward0>)
    """
    from dagdsl_compiler import import_weights

    import_weights.load_torchvision_weights(model, state_dict)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The result of `build`.

    `files` are the names of the files in `folder`. `forms` are the forms of the network that were
    compared on probe inputs, and `error` is their largest relative error. `batch` is the one batch
    size that the artefact takes, None for any. `removed` says what pins and constant gates removed.
    `passes` are the compiler's passes with their remarks. `seconds` is the time of the build.

    >>> import dagdsl
    >>> net = dagdsl.loads("net N { input x: f32[4]  node y: fc(2)  x -> y  output y }")
    >>> dagdsl.build(net, "build/small", backend="eager").error < 1e-4
    True
    """

    folder: Path
    files: tuple[str, ...]
    forms: tuple[str, ...]
    error: float
    mode: Mode
    batch: int | None
    removed: str
    passes: tuple[StepRemarks, ...]
    seconds: float


def build(
    net: Net | Model,
    out: str | Path,
    *,
    weights: str | Path | None = None,
    mode: Mode = "dense",
    batch: int | None = None,
    backend: str = "inductor",
    pins: Mapping[str, bool] | None = None,
    profile: Profile | None = None,
    onnx: bool = False,
    dump: bool = False,
) -> BuildReport:
    """Build an artefact in the folder `out`: `model.pt2`, `model.py`, `ir.json` and `graph.txt`.

    `model.pt2` runs with torch alone; `model.py` is standalone source. Each is compared with the
    model on probe inputs before anything is written. The artefact replaces an earlier one in `out`.

    Args:
        net: The network, or a model whose weights are used.
        out: The folder; it is created if it does not exist.
        weights: Run folder whose best weights are used; otherwise a network has random weights.
        mode: See `compile`.
        batch: The only batch size that the artefact takes; None for any.
        backend: `inductor` compiles `model.pt2`; `eager` needs no C++ compiler and leaves it out.
        pins: See `compile`.
        profile: See `compile`.
        onnx: Whether to write `model.onnx` too.
        dump: Whether to write the graph after each pass to `passes/` too.

    Raises UsageError if an option, the weights or the C++ compiler do not fit, and ModelError if
    PyTorch fails or a form disagrees with the model.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> dagdsl.build(net, "build/quickstart", mode="grouped", backend="eager").files
    ('graph.txt', 'ir.json', 'model.py')
    """
    from dagdsl.training.trained import load_best
    from dagdsl_compiler import driver
    from dagdsl_compiler.export import artefact
    from dagdsl_compiler.export.target import Target
    from dagdsl_compiler.passes.base import dump as text_of

    start = time.perf_counter()
    target = Target(mode, batch, pins or {}, profile)
    if isinstance(net, driver.Model):
        given, model = net.net, driver.eager_copy(net)
    else:
        given, model = net, driver.compile(net, backend="eager", seed=0)
    images = load_best(Path(weights), given, model) if weights else None
    passes: dict[str, bytes] = {}

    def keep(name: str, module: fx.GraphModule) -> None:
        passes[f"passes/{len(passes):02}-{name}.txt"] = text_of(module).encode()

    made = artefact.build(
        model,
        target,
        backend=backend,
        to_onnx=onnx,
        images=images,
        on_pass=keep if dump else None,
    )
    files = {**made.files, **passes}
    _write(Path(out), files)
    return BuildReport(
        folder=Path(out),
        files=tuple(sorted(files)),
        forms=tuple(made.forms),
        error=made.error,
        mode=target.mode,
        batch=target.batch,
        removed=made.removed,
        passes=tuple(made.steps),
        seconds=time.perf_counter() - start,
    )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files, after deleting those of an earlier artefact."""
    from dagdsl.files import make_folder, write_atomic
    from dagdsl_compiler.export.manifest import FILES, MANIFEST

    make_folder(folder)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    # The manifest comes last: without it the other files are not used.
    for name in sorted(files, key=lambda name: (name == MANIFEST, name)):
        path = folder / name
        make_folder(path.parent)
        write_atomic(path, files[name])


def predict(folder: str | Path, images: str | Path | Iterable[str | Path]) -> list[Prediction]:
    """Predict the classes of image files with the artefact in `folder`, and report their routes.

    The artefact must have trained weights and the `inductor` backend. Images are read and
    normalised as in training. Raises UsageError if the artefact or an image cannot be used.

    >>> import dagdsl
    >>> [prediction] = dagdsl.predict("build/trained", "images/digit.png")
    >>> [(name, probability)] = prediction.top(1)
    >>> len(prediction.probabilities), 0.1 < probability <= 1
    (10, True)
    """
    from dagdsl.prediction import Predictor

    given = [images] if isinstance(images, str | Path) else images
    return list(Predictor(Path(folder)).predict([Path(image) for image in given]))
