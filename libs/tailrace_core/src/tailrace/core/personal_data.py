"""Personal data is marked where it is declared, so that logs, traces and samples can leave it out."""

from collections.abc import Iterable
from typing import Annotated, TypeVar, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo


class PersonalMarker:
    """The mark that `Personal[T]` leaves in a field's metadata."""

    def __repr__(self) -> str:
        return "Personal"


T = TypeVar("T")
Personal = Annotated[T, PersonalMarker()]
"""`name: Personal[str]`: a name, an address, anything that tells who a person is."""

REDACTED = "[personal]"


def is_personal(field: FieldInfo) -> bool:
    """Whether the mark stands on the field, or inside its union (`Personal[str] | None`)."""
    return _marked(field.metadata) or any(
        _marked(getattr(part, "__metadata__", ())) for part in get_args(field.annotation)
    )


def _marked(metadata: Iterable[object]) -> bool:
    return any(isinstance(mark, PersonalMarker) for mark in metadata)


def personal_fields(model: type[BaseModel]) -> frozenset[str]:
    """Names of the fields of `model` that are marked as personal."""
    return frozenset(name for name, field in model.model_fields.items() if is_personal(field))


def redacted(model: BaseModel) -> dict[str, object]:
    """The model as JSON-ready data, personal fields replaced: what a log line may hold."""
    hidden = personal_fields(type(model))
    return {name: REDACTED if name in hidden else value for name, value in model.model_dump(mode="json").items()}
