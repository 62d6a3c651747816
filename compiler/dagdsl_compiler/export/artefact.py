"""A model and a target -> the files that run it elsewhere, compared with the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import torch

from dagdsl.errors import UsageError
from dagdsl.ir.paths import graphs_of
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.driver import check_choice
from dagdsl_compiler.emit.load import load_source
from dagdsl_compiler.emit.source import emit_source
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.export import onnx
from dagdsl_compiler.export.check import Artefact, check, check_graph, moved_weights
from dagdsl_compiler.export.manifest import MANIFEST, ONNX, PACKAGE, Images, Manifest
from dagdsl_compiler.export.package import compile_package
from dagdsl_compiler.export.target import Prepared, Target, export
from dagdsl_compiler.lower.pins import Removed
from dagdsl_compiler.lower.remarks import StepRemarks, explain
from dagdsl_compiler.model import Model
from dagdsl_compiler.passes.pipeline import OnPass
from dagdsl_compiler.probe import BATCH, Deviation, compare


@dataclass(slots=True)
class Build:
    """The files by name; the forms of the net that agree, and their largest relative error.

    `removed` lists what the mode removed, `steps` the remarks of the passes.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    forms: list[str] = field(default_factory=list)
    error: float = 0.0
    removed: str = ""
    steps: list[StepRemarks] = field(default_factory=list)

    def accept(self, form: str, found: Deviation) -> None:
        """Record that a form agrees with the net. Raises ModelError if it does not."""
        if not found.is_tolerable:
            raise ModelError(
                f"{form} disagrees with the plain graph by {found.error:.1e} "
                f"({found.routing}): nothing was written"
            )
        self.forms.append(form)
        self.error = max(self.error, found.error)


def build(
    model: Model,
    target: Target,
    *,
    backend: str = "inductor",
    to_onnx: bool = False,
    images: Images | None = None,
    on_pass: OnPass | None = None,
) -> Build:
    """Make the files of an eager model with its weights, and compare each form with the model.

    With the backend `inductor` the files include the package; with `eager` the graph that it would
    run is compared, but not compiled. `on_pass` is called with that graph as lowered and after each
    pass.

    Raises UsageError for an unknown backend, for a target that does not fit the net or ONNX, and if
    there is no C++ compiler. Raises ModelError if PyTorch fails or a form disagrees with the model.
    """
    check_choice("backend", backend, BACKENDS)
    if to_onnx:
        onnx.check_installed()
        if target.mode not in onnx.MODES:
            allowed = " and ".join(f"`{mode}`" for mode in onnx.MODES)
            raise UsageError(f"ONNX export supports the modes {allowed}, not `{target.mode}`")
    generated, net = backend == "inductor", model.net
    prepared = Prepared(model, target)
    graph = prepared.graph(generated=generated, on_pass=on_pass)
    made = Build(steps=explain(graph))
    made.files = {
        "ir.json": net.to_json().encode(),
        "graph.txt": f"{model.graph.graph}\n".encode(),
        "model.py": emit_source(net).encode(),
    }
    if target.mode == "static" or prepared.removed != Removed():
        made.removed = str(prepared.removed)
    written = load_source(emit_source(net))
    made.accept("model.py", compare(net, model, written, with_routes=True, batches=(BATCH,)))
    artefacts: dict[str, Artefact] = {}
    form = f"{backend} ({target.mode})"
    if generated:
        with TemporaryDirectory(prefix="dagdsl-") as folder:
            path = Path(folder) / PACKAGE
            artefacts[form] = compile_package(export(prepared, generated=True), path)
            made.files[PACKAGE] = path.read_bytes()
    else:
        made.accept(form, check_graph(model, prepared))
    if not (generated or to_onnx):
        return made
    manifest = manifest_of(prepared, images)
    if to_onnx:
        names, keep = list(manifest.inputs), moved_weights(prepared)
        exported = onnx.OnnxModel(export(prepared), names, manifest.results, keep)
        artefacts["onnx"] = exported
        made.files[ONNX] = exported.to_bytes()
    for name, found in check(model, prepared, artefacts).items():
        made.accept(name, found)
    made.files[MANIFEST] = manifest.to_json().encode()
    return made


def manifest_of(prepared: Prepared, images: Images | None = None) -> Manifest:
    """The inputs and results of an artefact."""
    net, target, outputs = prepared.net, prepared.target, {}
    nodes = {
        paths.routes: tuple(node.name for node in graph.nodes) for graph, paths in graphs_of(net)
    }
    graph = prepared.graph().graph
    _, routes = cast("tuple[Any, dict[str, Any]]", graph.output_node().args[0])
    for output in net.outputs:
        taps = output.value if not isinstance(output.value, str) else {"": output.value}
        for tap, node in taps.items():
            outputs[f"{output.name}.{tap}".rstrip(".")] = net.graph.node(node).shape
    return Manifest(
        net=net.name,
        ir_hash=net.hash,
        mode=target.mode,
        batch=target.batch,
        inputs={node.name: node.shape for node in net.inputs},
        outputs=outputs,
        routes={key: nodes[key] for key in routes},
        torch=torch.__version__,
        images=images,
    )
