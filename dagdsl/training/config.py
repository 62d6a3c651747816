"""The configuration of a training run, stored as `config.json` in its folder. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dagdsl.errors import UsageError
from dagdsl.training.options import Option, option_of

DEFAULT_LR: Final = {"adamw": 2e-3, "sgd": 0.1}

_DATA: Final = "Data"
_OPTIMISATION: Final = "Optimisation"
_COMPUTATION: Final = "Computation"


class TrainConfig(BaseModel):
    """The configuration of a training run.

    Together with the network and the data it determines the result, bit for bit on one CPU. Each
    field is an option of `dagdsl train` and a keyword of `dagdsl.train`; `options.py` derives the
    command line from the declarations below.

    Raises pydantic.ValidationError if a value is out of range; `TrainConfig.of` raises UsageError.

    >>> import dagdsl
    >>> dagdsl.TrainConfig(optimizer="sgd").lr
    0.1
    >>> dagdsl.TrainConfig.of({"epochs": 0})
    Traceback (most recent call last):
    dagdsl.errors.UsageError: training option `epochs`: input should be greater than or equal to 1
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data: Annotated[str, Option(_DATA, required=True)] = Field(
        "digits", description="Data set: `digits`, `fashion-mnist` or `folder:PATH`."
    )
    validation: Annotated[float, Option(_DATA)] = Field(
        0.1, gt=0, lt=1, description="Share of the training images held out to choose the epoch."
    )
    augment: Annotated[bool, Option(_DATA)] = Field(
        True, description="Augment the training images."
    )
    workers: Annotated[int, Option(_DATA, free_on_resume=True)] = Field(
        0, ge=0, le=256, description="Number of processes that decode image files."
    )

    epochs: Annotated[int, Option(_OPTIMISATION)] = Field(10, ge=1, description="Number of epochs.")
    batch_size: Annotated[int, Option(_OPTIMISATION)] = Field(
        64, ge=1, description="Images per step."
    )
    seed: Annotated[int, Option(_OPTIMISATION)] = Field(
        0, ge=0, lt=2**63, description="Seed of the weights, the data order and the augmentation."
    )
    optimizer: Annotated[Literal["adamw", "sgd"], Option(_OPTIMISATION)] = Field(
        "adamw", description="Optimizer."
    )
    lr: Annotated[float, Option(_OPTIMISATION, default="0.002 for adamw, 0.1 for sgd")] = Field(
        DEFAULT_LR["adamw"], gt=0, description="Peak learning rate."
    )
    warmup: Annotated[float, Option(_OPTIMISATION)] = Field(
        0.1, ge=0, lt=1, description="Share of all steps that linear warm-up takes."
    )
    weight_decay: Annotated[float, Option(_OPTIMISATION)] = Field(
        0.01, ge=0, description="Weight decay; norms and biases are exempt."
    )
    momentum: Annotated[float, Option(_OPTIMISATION)] = Field(
        0.9, ge=0, lt=1, description="Momentum of sgd."
    )
    label_smoothing: Annotated[float, Option(_OPTIMISATION)] = Field(
        0.05, ge=0, lt=1, description="Label-smoothing factor."
    )

    device: Annotated[str, Option(_COMPUTATION, free_on_resume=True)] = Field(
        "auto", description="Device: `cpu`, `cuda`, or `auto` for an accelerator if there is one."
    )
    backend: Annotated[
        Literal["eager", "inductor"],
        Option(_COMPUTATION, switch=("compile", {True: "inductor", False: "eager"})),
    ] = Field("eager", description="Compile the model; worth it for long runs.")
    amp: Annotated[bool, Option(_COMPUTATION)] = Field(
        False, description="Use bfloat16 mixed precision."
    )
    checkpoint_stages: Annotated[
        Literal["all"] | tuple[str, ...],
        Option(_COMPUTATION, metavar="STAGES", free_on_resume=True),
    ] = Field(
        (),
        description="Stages whose activations are recomputed in the backward pass to save memory: "
        "`all`, or names such as `s1,s2`.",
    )
    channels_last: Annotated[bool, Option(_COMPUTATION)] = Field(
        False, description="Use the channels-last memory format."
    )

    @model_validator(mode="before")
    @classmethod
    def _lr_of_optimizer(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("lr") is None:
            optimizer = values.get("optimizer", "adamw")
            return values | {"lr": DEFAULT_LR.get(optimizer, DEFAULT_LR["adamw"])}
        return values

    @field_validator("checkpoint_stages", mode="before")
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
        if isinstance(value, str) and value != "all":
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Validate values that come from a user. Raises UsageError for the first wrong one."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"])) or "config"
            raise UsageError(f"training option `{name}`: {first['msg'].lower()}") from error

    def differences(self, other: TrainConfig) -> list[str]:
        """`name: mine, not theirs` for each field that must not change when a run is resumed."""
        mine, theirs = self.model_dump(), other.model_dump()
        return [
            f"{name} {mine[name]}, not {theirs[name]}"
            for name, field in type(self).model_fields.items()
            if not option_of(field).free_on_resume and mine[name] != theirs[name]
        ]
