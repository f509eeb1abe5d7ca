"""What tells who somebody is: marked where it is declared, blotted out of samples, and never in a log line."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from invariants.subject import Findings, Subject
from tailrace.core.events import Event
from tailrace.core.personal_data import REDACTED, personal_fields

_NAMES_OF_PERSONS = frozenset(
    "email customer_name signed_by first_name last_name full_name phone phone_number mobile date_of_birth birthday iban".split()
)
_SHORTEST = 4
"""Letters of a value that is looked for: shorter ones stand in texts by chance."""


async def fields_that_name_a_person_are_marked(subject: Subject) -> Findings:
    """An e-mail address, a customer's name, a telephone number is `Personal[…]`, in events, bodies and views alike."""
    return [
        f"{model.__name__}.{name} says who somebody is, and is not marked as Personal"
        for model in _models(subject)
        for name in sorted(_NAMES_OF_PERSONS & model.model_fields.keys())
        if name not in personal_fields(model)
    ]


async def samples_hold_nothing_personal(subject: Subject) -> Findings:
    """Samples are published beside the schemas: what is personal in them reads `[personal]`."""
    found = []
    for event in subject.service.publishes:
        for path in sorted((subject.root / f"contracts/samples/{event.type}").glob("*.json")):
            payload = json.loads(path.read_text())
            for name in sorted(personal_fields(event) & payload.keys()):
                if payload[name] not in (REDACTED, [REDACTED], None):
                    found.append(f"the sample {path.name} of {event.type} shows {name}")
    return found


async def no_log_line_holds_personal_data(subject: Subject) -> Findings:
    """Nothing personal that the walk sent or was shown is in a line that was logged meanwhile."""
    lines = "\n".join((await subject.walked()).lines)
    if not lines:
        return ["nothing was logged during the walk"]
    return ["a log line holds personal data" for value in await personal_values(subject) if stands_in(value, lines)][:1]


def stands_in(value: str, text: str) -> bool:
    """Digits alone by themselves only: in a hash or an id they stand by chance."""
    if value not in text:
        return False
    return not value.isdigit() or re.search(rf"(?<!\w){value}(?!\w)", text) is not None


async def personal_values(subject: Subject) -> frozenset[str]:
    """What stood in personal fields of the walk's bodies and answers."""
    names = frozenset(name for model in _models(subject) for name in personal_fields(model))
    texts: set[str] = set()
    for step in (await subject.walked()).steps:
        answered = [answer for answer in step.answers.values() if answer.status < 300]
        for document in [step.body, *(answer.json() for answer in answered)]:
            texts |= set(_under(document, names))
    return frozenset(text for text in texts if len(text) >= _SHORTEST)


def _under(node: Any, names: frozenset[str]) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name in names:
                yield from (text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))
            yield from _under(value, names)
    elif isinstance(node, list):
        for value in node:
            yield from _under(value, names)


def _models(subject: Subject) -> list[type[BaseModel]]:
    """Every model of the service's events, bodies and answers, with those inside them."""
    found: dict[type[BaseModel], None] = {}
    for event in subject.service.publishes:
        _gather(event, found)
    for router in subject.service.routers:
        for route in router.routes:
            body = getattr(route, "body_field", None)
            if body is not None:
                _gather(body.field_info.annotation, found)
            _gather(getattr(route, "response_model", None), found)
    return [model for model in found if model is not Event]


def _gather(annotation: Any, found: dict[type[BaseModel], None]) -> None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in found:
        found[annotation] = None
        for field in annotation.model_fields.values():
            _gather(field.annotation, found)
    for part in get_args(annotation):
        _gather(part, found)
