"""The options of `dagdsl train` are the fields of `TrainConfig`, stated once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from dagdsl.cli.commands import app_for
from dagdsl.cli.options import with_options
from dagdsl.training.config import TrainConfig
from dagdsl.training.options import Option, command_options
from tests.cli.run import dagdsl

OWN = {"context", "file", "out", "set", "net", "resume", "format", "help"}
"""The parameters of `dagdsl train` that are not fields of `TrainConfig`."""


def parameters() -> dict[str, Any]:
    """The parameters of the command line by name."""
    command: Any = typer.main.get_command(app_for(["train"]))
    command = getattr(command, "commands", {"train": command})["train"]
    return {parameter.name: parameter for parameter in command.params}


def test_each_field_is_an_option_and_each_option_a_field() -> None:
    assert parameters().keys() - OWN == TrainConfig.model_fields.keys()


def test_flags() -> None:
    found = parameters()
    assert found["batch_size"].opts == ["--batch-size"]
    assert (found["backend"].opts, found["backend"].secondary_opts) == (
        ["--compile"],
        ["--no-compile"],
    )
    assert (found["augment"].opts, found["augment"].secondary_opts) == (
        ["--augment"],
        ["--no-augment"],
    )
    assert {name for name, parameter in found.items() if parameter.required} == {"file", "data"}


def test_each_option_is_described() -> None:
    """Each has a group and a sentence of help."""
    for option in command_options(TrainConfig):
        assert option.help.endswith("."), option.field
        assert option.help[0].isupper(), option.field
        assert option.extra.group in ("Data", "Optimisation", "Computation"), option.field


def test_defaults_of_the_command_line_are_those_of_the_fields() -> None:
    given = {
        option.field: option.value(option.default)
        for option in command_options(TrainConfig)
        if option.default is not None
    }
    assert TrainConfig.of(given) == TrainConfig()
    assert TrainConfig.model_fields.keys() - given.keys() == {"lr", "checkpoint_stages"}


class Recipe(BaseModel):
    """A field of each kind."""

    steps: int = Field(3, description="Steps.")
    rate: float | None = Field(None, description="Rate.")
    fast: bool = Field(False, description="Fast.")
    kind: Literal["a", "b"] = Field("a", description="Kind.")
    names: tuple[str, ...] = Field((), description="Names.")
    backend: Annotated[str, Option(switch=("compile", {True: "on", False: "off"}))] = "off"
    decay: float = Field(0, description="Decay.")
    path: Annotated[str, Option(required=True)] = ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--steps", "3"], {"steps": 3}),
        (["--rate", "0.5", "--fast"], {"rate": 0.5, "fast": True}),
        (["--no-fast", "--kind", "c"], {"fast": False, "kind": "c"}),
        (["--names", "x,y", "--compile"], {"names": "x,y", "backend": "on"}),
        (["--no-compile"], {"backend": "off"}),
    ],
)
def test_given_options_reach_the_command(arguments: list[str], expected: dict[str, object]) -> None:
    seen: list[tuple[str, dict[str, object]]] = []

    def run(file: str, twice: bool = False, **options: Any) -> None:
        seen.append((file, options))

    app = typer.Typer()
    app.command()(with_options(run, Recipe))
    done = CliRunner().invoke(app, ["net.dg", "--path", "here", *arguments])
    assert done.exit_code == 0, done.output
    assert seen == [("net.dg", {"path": "here", **expected})]


def test_whole_default_of_a_float() -> None:
    (decay,) = (option for option in command_options(Recipe) if option.field == "decay")
    assert (decay.type, decay.default) == (float, 0.0)


def test_required_options_must_be_given() -> None:
    def run(**options: Any) -> None:
        raise AssertionError

    app = typer.Typer()
    app.command()(with_options(run, Recipe))
    assert CliRunner().invoke(app, []).exit_code == 2


def test_help_shows_defaults_and_choices() -> None:
    shown = " ".join(dagdsl("train", "--help").stdout.split())
    assert "[default: 64]" in shown
    assert "[adamw|sgd]" in shown
    assert "--label-smoothing" in shown
