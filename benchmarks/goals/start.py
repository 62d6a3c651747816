"""Time of `dagdsl run` up to its first prediction, beyond the time to import torch."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

import dagdsl
from benchmarks.goals.nets import DYNAMIC
from benchmarks.goals.record import Record
from benchmarks.goals.scale import Scale
from dagdsl.benchmark.measure import Say
from dagdsl.benchmark.timing import Estimate, interleaved
from dagdsl.ir.nodes import Net
from dagdsl.training.checkpoint import WeightsInfo, save_weights
from dagdsl.training.classifier import as_classifier
from dagdsl.training.run import RunFolder

DAGDSL = (sys.executable, "-c", "from dagdsl.cli.app import main; main()")
CASE = "DG-MobileNetV2"


def measure(scale: Scale, say: Say) -> Iterator[Record]:
    """Build an artefact, run it on a grey image, and subtract the time to import torch."""
    with tempfile.TemporaryDirectory(prefix="dagdsl-start-") as folder:
        image = Path(folder) / "image.png"
        Image.new("RGB", (scale.size, scale.size), "grey").save(image)
        say(f"building {CASE}")
        net = DYNAMIC[CASE].load(size=scale.size)
        (Path(folder) / "net.json").write_text(net.to_json())
        run, built = Path(folder) / "run", Path(folder) / "built"
        run.mkdir()
        _leave_weights(net, run)
        _run(*DAGDSL, "build", f"{folder}/net.json", "--weights", str(run), "-o", str(built))
        predict = (*DAGDSL, "run", str(built), str(image))
        bare = (sys.executable, "-c", "import torch")
        say("timing dagdsl run")
        timed = interleaved(
            {"dagdsl run": lambda: _run(*predict), "import torch": lambda: _run(*bare)},
            rounds=scale.rounds,
            seconds=2 * scale.seconds,
        )
    beyond = [(a - b) / 1000 for a, b in zip(*(timed.times[k] for k in timed.times), strict=True)]
    yield Record(
        case=f"{CASE}, {scale.size} x {scale.size}",
        name="dagdsl run",
        reference="import torch",
        value=timed.time("dagdsl run") / 1000,
        reference_value=timed.time("import torch") / 1000,
        ratio=Estimate.of(beyond),
        unit="s",
        goal="start",
        limit=1.0,
        difference=True,
        others=timed.others,
    )


def _leave_weights(net: Net, run: Path) -> None:
    """Write what `dagdsl build` needs of a training run: random weights and class names."""
    model = dagdsl.compile(net, backend="eager", seed=0)
    about = WeightsInfo(
        ir_hash=net.hash,
        net=net.name,
        data="none",
        classes=tuple(map(str, range(as_classifier(net).classes))),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        epoch=0,
        val_accuracy=0.0,
    )
    save_weights(RunFolder(run).best, model, about)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
