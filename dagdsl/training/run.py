"""The folder of a run: its files, and whether a run may use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from dagdsl.errors import UsageError
from dagdsl.files import make_folder, read_text, remove_leftovers, write_atomic
from dagdsl.frontend import load_ir
from dagdsl.ir.nodes import Net
from dagdsl.training.checkpoint import RunProgress, read_progress
from dagdsl.training.config import TrainConfig
from dagdsl.training.metrics import TrainSummary


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run on disk.

    `ir.json` and `config.json` are written first and define the run. `last.safetensors` holds its
    state; `metrics.jsonl` and `best.safetensors` are derived from it and corrected when the run is
    resumed. `summary.json` exists when the run is finished.
    """

    path: Path

    @property
    def ir(self) -> Path:
        """The network."""
        return self.path / "ir.json"

    @property
    def config(self) -> Path:
        """The `TrainConfig`."""
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        """One line of JSON per epoch."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """The weights, the optimizer and the state of the run after the last finished epoch."""
        return self.path / "last.safetensors"

    @property
    def summary(self) -> Path:
        """The result of the finished run."""
        return self.path / "summary.json"

    def check_free(self) -> None:
        """Raise UsageError if the path holds a run already, or is a file."""
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file: choose a folder for the run")
        files = (self.ir, self.config, self.metrics, self.best, self.last, self.summary)
        if any(file.exists() for file in files):
            raise UsageError(
                f"{self.path} already holds a run: continue it with --resume, "
                "or choose another folder with --out"
            )

    def check_same(self, net: Net, config: TrainConfig) -> None:
        """Raise UsageError if the run has another network or another config."""
        if self.ir.exists() and self.read_net().hash != net.hash:
            raise UsageError(
                f"the run in {self.path} trains another net (ir_hash {self.read_net().hash[:12]}, "
                f"not {net.hash[:12]}): choose another folder with --out"
            )
        if self.config.exists():
            self._check_config(self.read_config(), config)
        if self.last.exists():
            self._check_config(read_progress(self.last).config, config)

    def _check_config(self, recorded: TrainConfig, config: TrainConfig) -> None:
        if differences := recorded.differences(config):
            raise UsageError(
                f"the run in {self.path} has {'; '.join(differences)}: resume it with the same "
                "options, or choose another folder with --out"
            )

    def open(self, net: Net, config: TrainConfig) -> None:
        """Create the folder, remove what a killed run left behind, and write net and config."""
        make_folder(self.path)
        remove_leftovers(self.path)
        write_atomic(self.ir, net.to_json())
        write_atomic(self.config, config.model_dump_json(indent=1) + "\n")

    def write_metrics(self, progress: RunProgress) -> None:
        """Rewrite all lines, dropping any that a killed run wrote after its checkpoint."""
        lines = [metrics.model_dump_json() + "\n" for metrics in progress.history]
        write_atomic(self.metrics, "".join(lines))

    def write_summary(self, summary: TrainSummary) -> None:
        """Write the summary, which marks the run as finished."""
        write_atomic(self.summary, summary.model_dump_json(indent=1) + "\n")

    def read_net(self) -> Net:
        """Read the network. Raises UsageError if the file is missing or damaged."""
        return load_ir(self.ir)

    def read_config(self) -> TrainConfig:
        """Read the config. Raises UsageError if the file is missing or damaged."""
        try:
            return TrainConfig.model_validate_json(read_text(self.config))
        except ValidationError as error:
            raise UsageError(
                f"{self.config} is damaged or from another version of dagdsl"
            ) from error
