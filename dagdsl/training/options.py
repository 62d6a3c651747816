"""The fields of `TrainConfig` -> the options of `dagdsl train`.

A field states its name, type, default and description once. The command line is derived from it:
`batch_size` becomes `--batch-size`, a boolean becomes `--amp/--no-amp`. An `Option` in the field's
annotation states the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Option:
    """The properties of an option that the type and description of its field do not express.

    `group` is the section of `--help`. A `required` option must be given on the command line, even
    if the field has a default. `default` replaces the default shown by `--help`. `switch` makes the
    option a pair of flags: `("compile", {True: "inductor", False: "eager"})` is
    `--compile/--no-compile`. `free_on_resume` marks fields that may change when a run is resumed,
    because they do not affect the result.
    """

    group: str = "Training"
    required: bool = False
    default: str | None = None
    metavar: str | None = None
    switch: tuple[str, dict[bool, str]] | None = None
    free_on_resume: bool = False


@dataclass(frozen=True, slots=True)
class CommandOption:
    """One option of the command line, derived from the field `field`.

    `type` is `bool` for a pair of flags. Otherwise it is `int`, `float` or `str`; the field parses
    the string. `default` is the default of the command line, None if it is not a value of
    `type`.
    """

    field: str
    flags: str
    type: type[bool] | type[int] | type[float] | type[str]
    default: bool | int | float | str | None
    help: str
    metavar: str | None
    extra: Option

    def value(self, given: Any) -> Any:
        """Convert a value given on the command line to one of the field."""
        return self.extra.switch[1][given] if self.extra.switch else given


def command_options(config: type[BaseModel]) -> Iterator[CommandOption]:
    """Derive the options of all fields of `config`, in the order of the fields."""
    for name, field in config.model_fields.items():
        extra = option_of(field)
        word, default, choices = name.replace("_", "-"), field.default, _choices(field.annotation)
        kind = _type(field.annotation)
        if kind is float and isinstance(default, int):
            default = float(default)
        if extra.switch is not None:
            word, values = extra.switch
            kind, default, choices = bool, default == values[True], ()
        yield CommandOption(
            field=name,
            flags=f"--{word}/--no-{word}" if kind is bool else f"--{word}",
            type=kind,
            default=default if isinstance(default, kind) and extra.default is None else None,
            help=field.description or "",
            metavar=extra.metavar or (f"[{'|'.join(choices)}]" if choices else None),
            extra=extra,
        )


def option_of(field: FieldInfo) -> Option:
    """The `Option` of a field; a plain one if the field has none."""
    return next((item for item in field.metadata if isinstance(item, Option)), Option())


def _type(annotation: Any) -> type[bool] | type[int] | type[float] | type[str]:
    """The type that the command line parses: a string for anything but a number or a boolean."""
    parts = [part for part in _parts(annotation) if part is not type(None)]
    return parts[0] if len(parts) == 1 and parts[0] in (bool, int, float) else str


def _choices(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _parts(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return _parts(get_args(annotation)[0])
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
