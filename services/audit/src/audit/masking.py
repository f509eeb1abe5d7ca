"""Leaves out of what an event said whatever tells who a person is, by what its contract marks; of an event without a contract here, everything."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from audit.contexts import events_by_type
from tailrace.core.personal_data import REDACTED, is_personal


def shown(type: str, data: bytes, *, pii: bool) -> Any:
    """What an event said, as JSON-ready data. What is no JSON is shown as text, to those who may see all."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace") if pii else REDACTED
    if pii:
        return said
    model = events_by_type().get(type)
    return REDACTED if model is None else _masked(model, said)


def is_masked(type: str, data: bytes) -> bool:
    """Whether anything would be left out."""
    return bool(shown(type, data, pii=False) != shown(type, data, pii=True))


def _masked(model: type[BaseModel], said: Any) -> Any:
    if not isinstance(said, Mapping):
        return REDACTED
    fields = model.model_fields
    return {
        name: value
        if value is None
        else REDACTED
        if name not in fields or is_personal(fields[name])
        else _inside(fields[name].annotation, value)
        for name, value in said.items()
    }


def _inside(annotation: Any, value: Any) -> Any:
    models = _models(annotation)
    if not models:
        return value
    if isinstance(value, list):
        return [_inside(annotation, each) for each in value]
    if isinstance(value, Mapping):
        fitting = max(models, key=lambda model: len(value.keys() & model.model_fields.keys()))
        if value.keys() & fitting.model_fields.keys():
            return _masked(fitting, value)
        return {name: _inside(annotation, each) for name, each in value.items()}
    return value


@cache
def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The models that are somewhere in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for part in get_args(annotation) for model in _models(part))
