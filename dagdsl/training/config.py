"""What a training run is asked to do; stored as `config.json` in its folder. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagdsl.errors import UsageError

DEFAULT_LR = {"adamw": 2e-3, "sgd": 0.1}
FREE_ON_RESUME = frozenset({"device", "workers", "checkpoint_stages"})
"""Fields that say where a run computes, not what: these alone may change when it is resumed."""


class TrainConfig(BaseModel):
    """The recipe. With the net and the data it determines the result, bit for bit on one CPU."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data: str = Field("digits", description="digits, fashion-mnist or folder:PATH")
    validation: float = Field(
        0.1, gt=0, lt=1, description="share of the training images the best epoch is chosen on"
    )
    augment: bool = Field(True, description="whether to vary the training images")
    workers: int = Field(0, ge=0, le=256, description="processes that decode image files")

    epochs: int = Field(10, ge=1)
    batch_size: int = Field(64, ge=1)
    seed: int = Field(0, ge=0, lt=2**63)

    optimizer: Literal["adamw", "sgd"] = "adamw"
    lr: float = Field(DEFAULT_LR["adamw"], gt=0, description="highest learning rate")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of all steps in which lr rises")
    weight_decay: float = Field(0.01, ge=0)
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd")
    label_smoothing: float = Field(0.05, ge=0, lt=1)

    device: str = Field("auto", description="cpu, cuda, ...; auto: an accelerator if there is one")
    backend: Literal["eager", "inductor"] = "eager"
    amp: bool = Field(False, description="train in bfloat16 where that is safe")
    checkpoint_stages: Literal["all"] | tuple[str, ...] = Field(
        (), description="stages of which the backward pass computes the inside again, for memory"
    )
    channels_last: bool = Field(False, description="lay images out with channels last, for GPUs")

    @model_validator(mode="before")
    @classmethod
    def _lr_of_optimizer(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("lr") is None:
            optimizer = values.get("optimizer", "adamw")
            return values | {"lr": DEFAULT_LR.get(optimizer, DEFAULT_LR["adamw"])}
        return values

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Check values from outside. Raises UsageError naming the first that is wrong."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"])) or "config"
            raise UsageError(f"training option `{name}`: {first['msg'].lower()}") from error

    def differences(self, other: TrainConfig) -> list[str]:
        """`name: mine, not theirs` for each field that a resumed run must not change."""
        mine, theirs = self.model_dump(), other.model_dump()
        return [
            f"{name} {mine[name]}, not {theirs[name]}"
            for name in mine
            if name not in FREE_ON_RESUME and mine[name] != theirs[name]
        ]
