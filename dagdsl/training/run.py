"""The folder of a run: which files it holds, and who may write there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from dagdsl.errors import UsageError
from dagdsl.files import make_folder, read_text, remove_leftovers, write_atomic
from dagdsl.frontend import load_ir
from dagdsl.ir.nodes import Net
from dagdsl.training.checkpoint import Progress, read_progress
from dagdsl.training.config import TrainConfig
from dagdsl.training.metrics import TrainSummary


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run on disk.

    `ir.json` and `config.json` are written first and say what the run is. `last.safetensors` is
    the truth about how far it is; `metrics.jsonl` and `best.safetensors` follow it and are put
    right when a run is resumed. `summary.json` stands for a finished run.
    """

    path: Path

    @property
    def ir(self) -> Path:
        """The net."""
        return self.path / "ir.json"

    @property
    def config(self) -> Path:
        """The `TrainConfig`."""
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        """A line of JSON for each epoch."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """Weights, optimizer and progress after the last finished epoch."""
        return self.path / "last.safetensors"

    @property
    def summary(self) -> Path:
        """The result of the finished run."""
        return self.path / "summary.json"

    def check_free(self) -> None:
        """Raises UsageError if there is a run already, or no folder can be here."""
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file: the folder of a run is needed")
        files = (self.ir, self.config, self.metrics, self.best, self.last, self.summary)
        if any(file.exists() for file in files):
            raise UsageError(
                f"{self.path} already holds a run: continue it with --resume, "
                "or take another folder with --out"
            )

    def check_same(self, net: Net, config: TrainConfig) -> None:
        """Raises UsageError if the run here is not one of this net with this config."""
        if self.ir.exists() and self.read_net().hash != net.hash:
            raise UsageError(
                f"the run in {self.path} trains another net (ir_hash "
                f"{self.read_net().hash[:12]}, not {net.hash[:12]}): take another folder with --out"
            )
        if self.config.exists():
            self._check_config(self.read_config(), config)
        if self.last.exists():
            self._check_config(read_progress(self.last).config, config)

    def _check_config(self, recorded: TrainConfig, config: TrainConfig) -> None:
        if differences := recorded.differences(config):
            raise UsageError(
                f"the run in {self.path} has {'; '.join(differences)}: resume it with the same "
                "options, or take another folder with --out"
            )

    def open(self, net: Net, config: TrainConfig) -> None:
        """Make the folder, say in it what the run is, and clear what a killed run left behind."""
        make_folder(self.path)
        remove_leftovers(self.path)
        write_atomic(self.ir, net.to_json())
        write_atomic(self.config, config.model_dump_json(indent=1) + "\n")

    def write_metrics(self, progress: Progress) -> None:
        """All lines anew: what a killed run had written beyond its checkpoint is gone."""
        lines = [metrics.model_dump_json() + "\n" for metrics in progress.history]
        write_atomic(self.metrics, "".join(lines))

    def write_summary(self, summary: TrainSummary) -> None:
        """The run is finished."""
        write_atomic(self.summary, summary.model_dump_json(indent=1) + "\n")

    def read_net(self) -> Net:
        """The net of the run. Raises UsageError."""
        return load_ir(self.ir)

    def read_config(self) -> TrainConfig:
        """The config of the run. Raises UsageError."""
        try:
            return TrainConfig.model_validate_json(read_text(self.config))
        except ValidationError as error:
            raise UsageError(f"{self.config} is damaged or of another version of dagdsl") from error
