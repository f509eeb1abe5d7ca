"""What the contracts tell of people is marked: logs, samples, the audit log and partners' topics leave out what is, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from contracts.registry import events_by_type
from tailrace.core.events import Event

_SOUNDS_PERSONAL = re.compile(
    "(^|_)(e_?mails?|phones?|mobile|fax|address|street|city|postal_code|iban|tax_ids?|birth|birthday|born_on|signed_by|reading|"
    "(first|last|given|family|customer|owner|payer|partner|contact|user|recipient|person)_name|note|notes|comment|description)$"
)
NOT_PERSONAL = {
    ("ApprovalRequested", "process_note"): "which process a template names that is not there",
    ("Words", "notes"): "the heading of notes on a company's documents",
    ("Words", "tax_id"): "the heading of the tax number on a company's documents",
    ("UnexpectedGoods", "description"): "what the goods are",
}
"""Fields by model that sound so, and why they are not."""


def _properties(event: type[Event]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(model, field, schema) of each field of an event and of the models inside it, but for those inside a personal one."""
    schema = event.model_json_schema(mode="serialization")
    models = {event.__name__: schema, **schema.get("$defs", {})}
    for name, model in models.items():
        for field, told in model.get("properties", {}).items():
            yield name, field, told


def _texts(told: Any) -> bool:
    """Whether a text may stand there, not merely a model, an id or a choice, whose own fields are looked at."""
    if isinstance(told, list):
        return any(map(_texts, told))
    if not isinstance(told, dict):
        return False
    plain = told.get("type") == "string" and not {"format", "enum", "const"} & told.keys()
    return plain or any(_texts(told[key]) for key in ("anyOf", "items", "additionalProperties") if key in told)


def _marked(told: Any) -> bool:
    if isinstance(told, list):
        return any(map(_marked, told))
    return isinstance(told, dict) and (told.get("x-personal") is True or any(map(_marked, told.values())))


def unmarked(event: type[Event]) -> set[tuple[str, str]]:
    """(model, field) of what sounds personal and is not marked."""
    return {
        (model, field)
        for model, field, told in _properties(event)
        if _SOUNDS_PERSONAL.search(field) and _texts(told) and not _marked(told)
    }


def test_what_sounds_personal_is_marked_or_said_not_to_be() -> None:
    found = {each for event in events_by_type().values() for each in unmarked(event)}
    assert sorted(found - NOT_PERSONAL.keys()) == []
    assert NOT_PERSONAL.keys() <= found, "listed and not there"


@pytest.mark.parametrize("name", ["email", "work_phone", "customer_name", "emails", "postal_code", "note"])
def test_an_unmarked_field_is_found(name: str) -> None:
    inner = type("Inner", (BaseModel,), {"__annotations__": {name: str | None}})
    told = type("Told", (Event,), {"__annotations__": {"parts": list[inner]}})  # type: ignore[valid-type]
    assert unmarked(told) == {("Inner", name)}
