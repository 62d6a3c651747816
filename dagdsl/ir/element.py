"""The base of all IR classes: a frozen pydantic model with an origin in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict
from pydantic_core import SchemaValidator, core_schema

from dagdsl.source import Origin


class Element(BaseModel):
    """Base of all IR classes.

    Calling a class validates its arguments and raises ValueError if one does not fit. The front end
    and the passes, whose arguments mypy has checked, skip the validation with `unchecked`.

    Elements are frozen, so a copy of an element, deep or not, is the element itself. Two elements
    are equal if all their fields are; the origin does not count, nor does the order of parameters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    # A slot rather than a field or a private attribute: no part of JSON, schema, hash or
    # comparison, and free for elements that have none.
    __slots__ = ("_origin",)
    if TYPE_CHECKING:
        _origin: Origin | None

    @property
    def origin(self) -> Origin | None:
        """The text this element came from; None for elements made in Python or read from JSON."""
        return getattr(self, "_origin", None)

    def at(self, origin: Origin | None) -> Self:
        """Return a copy with another origin."""
        return unchecked(type(self), origin)(**self._fields())

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced and the same origin.

        The fields are validated; the elements among them were validated when they were made.
        Raises ValueError if a change does not fit.
        """
        copy = type(self)(**{**self._fields(), **changes})
        object.__setattr__(copy, "_origin", self.origin)
        return copy

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Same as `replace`, under the name that pydantic uses."""
        return self.replace(**(update or {}))

    def _fields(self) -> dict[str, Any]:
        values = self.__dict__
        return {name: values[name] for name in type(self).model_fields}

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.origin, *self._fields().values())

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        pairs: list[tuple[Any, Any]] = [(self, other)]
        while pairs:
            a, b = pairs.pop()
            if a is b:
                continue
            if isinstance(a, Element) and type(a) is type(b):
                pairs.extend(zip(a._fields().values(), b._fields().values(), strict=True))
            elif isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
                pairs.extend(zip(a, b, strict=True))
            elif a != b:
                return False
        return True

    def __hash__(self) -> int:
        return hash(tuple(_hashables(self)))


def _hashables(element: Element) -> Iterator[object]:
    """Values that are equal for equal elements; the order of the keys of a dict plays no part."""
    todo: list[Any] = [element]
    while todo:
        value = todo.pop()
        if isinstance(value, Element):
            todo.extend(value._fields().values())
        elif isinstance(value, tuple):
            todo.extend(value)
        elif isinstance(value, dict):
            yield frozenset((k, tuple(v) if isinstance(v, list) else v) for k, v in value.items())
        else:
            yield value


_P = ParamSpec("_P")
_E = TypeVar("_E", bound=Element)


def unchecked(cls: Callable[_P, _E], origin: Origin | None = None) -> Callable[_P, _E]:
    """Return the constructor of an IR class without validation, for elements from `origin`.

    mypy checks the arguments as it does for the class itself. Neither this nor the first element
    made this way builds pydantic's validators, which `dagdsl check` does not need.
    """
    construct = _constructor(cls)

    def make(*args: _P.args, **fields: _P.kwargs) -> _E:
        element: _E = construct(fields)
        object.__setattr__(element, "_origin", origin)
        return element

    return make


@cache
def _constructor(cls: type[Element]) -> Callable[[dict[str, Any]], Any]:
    """pydantic's own constructor of a class, but with fields that accept anything.

    Faster than `model_construct`, which is written in Python.
    """
    fields = {}
    for name, field in cls.model_fields.items():
        schema: core_schema.CoreSchema = core_schema.any_schema()
        if field.default_factory is not None:
            factory = cast("Callable[[], Any]", field.default_factory)
            schema = core_schema.with_default_schema(schema, default_factory=factory)
        elif not field.is_required():
            schema = core_schema.with_default_schema(schema, default=field.default)
        fields[name] = core_schema.model_field(schema)
    content = core_schema.model_fields_schema(fields, extra_behavior="forbid")
    return SchemaValidator(core_schema.model_schema(cls, content)).validate_python


def _restored(cls: type[_E], origin: Origin | None, *values: Any) -> _E:
    """The element that was pickled. Flat, for the nesting that `pickle` can handle is limited."""
    return unchecked(cls, origin)(**dict(zip(cls.model_fields, values, strict=True)))
