"""A pydantic model -> the options of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from dagdsl.training.options import CommandOption, command_options


def with_options(run: Callable[..., None], config: type[BaseModel]) -> Callable[..., None]:
    """Give a command an option for each field of `config`.

    They replace the `**options` of `run`, which receives only those given on the command line, as
    values of the fields. Every other field keeps its default.
    """
    options = {option.field: option for option in command_options(config)}

    def command(context: typer.Context, **arguments: Any) -> None:
        own = {name: value for name, value in arguments.items() if name not in options}
        given = {
            name: option.value(arguments[name])
            for name, option in options.items()
            if _is_given(context, name)
        }
        run(**own, **given)

    own = inspect.signature(run, eval_str=True).parameters.values()
    parameters = [
        inspect.Parameter("context", _KEYWORD, annotation=typer.Context),
        *(p.replace(kind=_KEYWORD) for p in own if p.kind is not inspect.Parameter.VAR_KEYWORD),
        *map(_parameter, options.values()),
    ]
    command.__doc__ = run.__doc__
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _parameter(option: CommandOption) -> inspect.Parameter:
    how = typer.Option(
        option.flags,
        help=option.help,
        metavar=option.metavar,
        show_default=option.extra.default or True,
        rich_help_panel=option.extra.group,
    )
    default = inspect.Parameter.empty if option.extra.required else option.default
    kind = option.type if default is not None else option.type | None
    return inspect.Parameter(
        option.field, _KEYWORD, default=default, annotation=Annotated[kind, how]
    )
