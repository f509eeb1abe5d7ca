"""Each value has one way to be written in a request: nothing is taken for a number, a time or an id that only looks like one to some readers.

A `WireModel` holds each of its fields to that, whatever types they are declared with.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

from pydantic import BaseModel, GetCoreSchemaHandler, SecretStr
from pydantic_core import PydanticCustomError, core_schema

from tailrace.core.values.text import line

__all__ = ["REPEATED", "SHAPES", "Shape", "TextRule", "WireModel", "WrongFields", "as_written", "plain_number"]

_LARGEST = 2**63 - 1
_MOST_DIGITS = 40
_INSIDE = (
    "schema fields items_schema keys_schema values_schema choices steps definitions json_schema python_schema lax_schema strict_schema"
).split()


class WrongFields(ValueError):
    """What a validator of a whole model raises: a refusal names the `fields` that `detail` is said of, from the model on, as `lines/3/quantity`."""

    def __init__(self, detail: str, *fields: str) -> None:
        super().__init__(detail)
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value of a type is written as text, and what is said to a client that wrote it otherwise."""

    pattern: re.Pattern[str]
    detail: str


SHAPES: Mapping[type, Shape] = {
    bool: Shape(re.compile("true|false"), "write true or false"),
    int: Shape(re.compile("-?(?:0|[1-9][0-9]{0,17})"), "write a whole number in digits, as in 12"),
    Decimal: Shape(
        re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?"),
        "write a number in plain decimal notation, as in 12.5",
    ),
    datetime: Shape(
        re.compile(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
        ),
        "write a time with its zone, as in 2026-01-31T09:00:00Z (RFC 3339)",
    ),
    date: Shape(re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"), "write a day as 2026-01-31"),
    UUID: Shape(
        re.compile("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"), "write an id with its hyphens (RFC 9562)"
    ),
}
"""In bodies the texts, in queries and paths everything."""


class _Repeated:
    """What stands in place of a value whose name an object has twice: no field takes it."""


REPEATED = _Repeated()


@dataclass(frozen=True, slots=True)
class TextRule:
    """The spelling that a kind of text is kept in; a validator for `BeforeValidator`, since the bounds are those of what is kept."""

    rule: Callable[[str], str]

    def __call__(self, value: Any) -> Any:
        if isinstance(value, SecretStr):
            return SecretStr(self.rule(value.get_secret_value()))
        return self.rule(value) if isinstance(value, str) else value


def plain_number(value: Any) -> Any:
    """A number, or a text that is one in plain decimal notation. Raises ValueError: for a float too, which is exact to nobody."""
    if isinstance(value, bool | float):
        raise ValueError(SHAPES[Decimal].detail)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueError("has too many digits")
    return as_written(Decimal, value)


def _strict(schema: Any, own: type) -> Any:
    """The core schema with each field held to what is written. Models within it that are WireModels are so already."""
    if isinstance(schema, list | tuple):
        return type(schema)(_strict(part, own) for part in schema)
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if not isinstance(kind, str):  # names with what they stand for
        return {name: _strict(part, own) for name, part in schema.items()}
    if kind == "model" and schema["cls"] is not own and issubclass(schema["cls"], WireModel):
        return schema
    if kind == "function-before" and isinstance(schema["function"]["function"], TextRule):
        return schema
    inner = {**schema, **{key: _strict(schema[key], own) for key in _INSIDE if key in schema}}
    return _KINDS[kind](inner) if kind in _KINDS else inner


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _no_stand_in(value: Any) -> Any:
    """With `from_attributes`, which FastAPI asks for, these would pass for an object whose fields are all left out."""
    if isinstance(value, Decimal | _Repeated):
        raise PydanticCustomError("model_type", "Input should be a valid object")
    return value


def _bounded(schema: Any) -> Any:
    bounds = {} if {"ge", "gt"} & schema.keys() else {"ge": -_LARGEST - 1}
    if not {"le", "lt"} & schema.keys():
        bounds["le"] = _LARGEST
    return {**schema, **bounds, "strict": True}


def as_written(kind: type, value: Any) -> Any:
    """A text that has the shape of the type; other values as they are, but for numbers where no number is meant. Raises ValueError."""
    if isinstance(value, str) and not SHAPES[kind].pattern.fullmatch(value):
        raise ValueError(SHAPES[kind].detail)
    if kind in (datetime, date) and isinstance(value, bool | int | float | Decimal):
        raise ValueError(SHAPES[kind].detail)
    return value


def _before(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda schema: core_schema.no_info_before_validator_function(check, schema)


_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "bool": lambda schema: {**schema, "strict": True},
    "int": _bounded,
    "str": _before(TextRule(line)),
    "decimal": _before(plain_number),
    "datetime": _before(lambda value: as_written(datetime, value)),
    "date": _before(lambda value: as_written(date, value)),
    "uuid": _before(lambda value: as_written(UUID, value)),
}


class WireModel(BaseModel):
    """A model whose fields are as strict as `SHAPES`, its texts by their `TextRule`, or by `line` where their type names none.

    Raises TypeError for a field of a model that is none, which would take what this one refuses.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        for name, field in cls.model_fields.items():
            for kind in _types(field.annotation):
                if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, WireModel):
                    raise TypeError(f"{cls.__name__}.{name} holds {kind.__name__}, which is no WireModel")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        schema: Any = _strict(handler(source), cls)
        # The name by which a document refers to the model goes outside with what is now outermost, or the model would stand in each place of it.
        named = schema.pop("ref", None)
        return core_schema.no_info_before_validator_function(_no_stand_in, schema, ref=named)
