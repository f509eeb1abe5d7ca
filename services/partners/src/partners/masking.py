"""What of a record a partner gets: nothing of other tenants and of types that were not granted, and of personal fields what the grant says."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from contracts.partners import PersonalFields
from tailrace.core.events import Event
from tailrace.core.personal_data import REDACTED, without_personal
from tailrace.kafka.relay import KeptBack, Passed
from tailrace.kafka.shared_reader import Kind

_TELL_NOBODY = frozenset(
    {
        "ce_causationid",
        "ce_correlationid",
        "ce_dataschema",
        "ce_epoch",
        "ce_id",
        "ce_sequence",
        "ce_sequencetype",
        "ce_source",
        "ce_specversion",
        "ce_subject",
        "ce_tenantid",
        "ce_time",
        "ce_type",
        "content-type",
    }
)
"""The headers that all get. The others tell who did it, or lead to where that is told, or nobody knows what they tell."""


@dataclass(frozen=True)
class Grant:
    """Of one partner."""

    tenant_id: UUID
    types: Mapping[str, type[Event]]
    """What was granted, by its wire name."""
    personal: PersonalFields

    @property
    def kinds(self) -> frozenset[Kind]:
        """Of the records that it may be about."""
        tenant = str(self.tenant_id).encode()
        return frozenset((tenant, each.encode()) for each in self.types)


def shown(grant: Grant, headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Passed | None:
    """What the partner gets of a record; None, for nothing. Raises KeptBack."""
    said = {name: text for name, text in headers if text is not None}
    type_of = said.get("ce_type", b"").decode("utf-8", "replace")
    if said.get("ce_tenantid") != str(grant.tenant_id).encode() or type_of not in grant.types or value is None:
        return None
    if grant.personal == "plain":
        return Passed(value, list(said.items()))
    kept = [(name, text) for name, text in said.items() if name in _TELL_NOBODY]
    return Passed(_without(grant.types[type_of], value, grant.personal), kept)


def _without(model: type[Event], value: bytes, personal: PersonalFields) -> bytes:
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        raise KeptBack("the value is not JSON") from None
    if not isinstance(read, dict):
        raise KeptBack("the value is not a JSON object")
    instead = {"omitted": lambda name, was: {}, "masked": lambda name, was: {name: REDACTED}}[personal]
    left = without_personal(model, read, instead)
    return json.dumps(left, ensure_ascii=False, separators=(",", ":")).encode()
