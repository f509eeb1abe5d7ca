"""Personal data is marked where it is declared, so that logs, traces, samples and partners' topics can leave it out.

The mark is in the JSON Schema of the field too, as `"x-personal": true`, and so in AsyncAPI and OpenAPI.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

IN_SCHEMA = "x-personal"
"""The keyword that marks a personal value in JSON Schema."""


class PersonalMarker:
    """The mark that `Personal[T]` leaves in a field's metadata."""

    def __repr__(self) -> str:
        return "Personal"

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # JSON Schema 2020-12 takes keywords beside a `$ref`.
        return {**handler(schema), IN_SCHEMA: True}


T = TypeVar("T")
Personal = Annotated[T, PersonalMarker()]
"""`name: Personal[str]`: a name, an address, anything that tells who a person is."""

REDACTED = "[personal]"


def is_personal(field: FieldInfo) -> bool:
    """Whether the mark stands on the field, or inside its union (`Personal[str] | None`) or its list."""
    return _marked(field.metadata) or _is_inside(field.annotation)


def _is_inside(annotation: object) -> bool:
    return any(_marked(getattr(part, "__metadata__", ())) or _is_inside(part) for part in get_args(annotation))


def _marked(metadata: Iterable[object]) -> bool:
    return any(isinstance(mark, PersonalMarker) for mark in metadata)


def personal_fields(model: type[BaseModel]) -> frozenset[str]:
    """Names of the fields of `model` that are marked as personal."""
    return frozenset(name for name, field in model.model_fields.items() if is_personal(field))


def redacted(model: BaseModel) -> dict[str, object]:
    """The model as JSON-ready data, personal fields replaced: what a log line may hold."""
    hidden = personal_fields(type(model))
    return {name: REDACTED if name in hidden else value for name, value in model.model_dump(mode="json").items()}


@cache
def personal_paths(model: type[BaseModel]) -> tuple[str, ...]:
    """Where personal values stand in what a model says, in order, as JSONPath (RFC 9535): `$.name`, `$.addresses[*].lines`.

    A path ends at the marked field: all that is below it is personal. `[*]` stands for each element of a list or of a mapping.
    Raises TypeError for a model that holds itself, whose paths have no end.
    """
    return tuple(sorted(set(_paths(model, "$", ()))))


def _paths(model: type[BaseModel], at: str, within: tuple[type[BaseModel], ...]) -> Iterator[str]:
    if model in within:
        raise TypeError(f"{model.__name__} holds itself at {at}")
    for name, field in model.model_fields.items():
        here = f"{at}.{name}"
        if is_personal(field):
            yield here
        else:
            annotation: Any = field.annotation
            for inner, steps in _models(annotation):
                yield from _paths(inner, here + steps, (*within, model))


def without_personal(
    model: type[BaseModel], said: Any, instead: Callable[[str, Any], Mapping[str, Any]] | None = None
) -> Any:
    """What an event of that model said, as JSON-ready data, without its personal values; `said` itself is left as it is.

    Each personal field that is not null, and each that the model does not know, becomes what `instead(name, value)` says: nothing
    for `{}`, which leaves the field out, or `{name: …}`. Without `instead`, its value becomes `REDACTED`. What is no object is
    `REDACTED` as a whole.
    """
    put = instead or (lambda name, value: {name: REDACTED})
    return _without(model, said, put) if isinstance(said, Mapping) else REDACTED


def _without(model: type[BaseModel], said: Mapping[str, Any], put: Callable[[str, Any], Mapping[str, Any]]) -> Any:
    told, kept = _told(model), dict[str, Any]()
    for name, value in said.items():
        if value is None:
            kept[name] = value
        elif (models := told.get(name)) is None:
            kept.update(put(name, value))
        else:
            kept[name] = _inside(models, value, put) if models else value
    return kept


@cache
def _names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(model.model_fields)


@cache
def _told(model: type[BaseModel]) -> Mapping[str, tuple[type[BaseModel], ...]]:
    """The fields that are not personal, and the models that are somewhere in each. Kept: to look at the types takes ten times as long as an event."""
    return {
        name: tuple(inner for inner, _ in _models(cast(Any, field.annotation)))
        for name, field in model.model_fields.items()
        if not is_personal(field)
    }


def _inside(models: tuple[type[BaseModel], ...], value: Any, put: Callable[[str, Any], Mapping[str, Any]]) -> Any:
    if isinstance(value, list):
        return [_inside(models, each, put) for each in value]
    if isinstance(value, Mapping):
        fitting = max(models, key=lambda model: len(value.keys() & _names(model)))
        if value.keys() & _names(fitting):
            return _without(fitting, value, put)
        return {name: _inside(models, each, put) for name, each in value.items()}
    return value


@cache
def _models(annotation: Any) -> tuple[tuple[type[BaseModel], str], ...]:
    """The models that are somewhere in a type, each with the steps that lead to it: `[*]` through a list or a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return ((annotation, ""),)
    origin = get_origin(annotation)
    gathers = isinstance(origin, type) and issubclass(origin, Iterable)
    step = "[*]" if gathers else ""
    return tuple((model, step + steps) for part in get_args(annotation) for model, steps in _models(part))
