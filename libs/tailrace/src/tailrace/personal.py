"""Personal data is marked where it is declared, so that logs, traces and samples can leave it out."""

from typing import Annotated, TypeVar

from pydantic import BaseModel


class PersonalMarker:
    """The mark that `Personal[T]` leaves in a field's metadata."""

    def __repr__(self) -> str:
        return "Personal"


T = TypeVar("T")
Personal = Annotated[T, PersonalMarker()]
"""`name: Personal[str]`: a name, an address, anything that tells who somebody is."""

REDACTED = "[personal]"


def personal_fields(model: type[BaseModel]) -> frozenset[str]:
    """Names of the fields of `model` that are marked as personal."""
    return frozenset(
        name for name, field in model.model_fields.items() if any(isinstance(m, PersonalMarker) for m in field.metadata)
    )


def redacted(model: BaseModel) -> dict[str, object]:
    """The model as JSON-ready data, personal fields replaced: what a log line may hold."""
    hidden = personal_fields(type(model))
    return {name: REDACTED if name in hidden else value for name, value in model.model_dump(mode="json").items()}
