"""What a partner gets of a record, tried with marked data: the mark is in no field and no header unless the grant says plain."""

import json
from datetime import UTC, datetime
from typing import ClassVar, Literal
from uuid import UUID, uuid4

import pytest

from partners.masking import Grant, shown
from tailrace.core.events import Event
from tailrace.core.personal_data import REDACTED, Personal
from tailrace.kafka.relay import KeptBack

MARK = "Zaphod-7Q"
TENANT = uuid4()


class Burrow(Event):
    topic: ClassVar[str] = "burrow.events"
    type: ClassVar[str] = "burrow.dug"

    burrow_id: UUID
    depth: int
    digger: Personal[str]


def _headers(tenant: UUID = TENANT, type_of: str = "burrow.dug") -> list[tuple[str, bytes | None]]:
    return [
        ("ce_type", type_of.encode()),
        ("ce_tenantid", str(tenant).encode()),
        ("ce_time", datetime(2026, 1, 1, tzinfo=UTC).isoformat().encode()),
        ("ce_causationid", None),
        ("ce_actorid", f"user:{MARK}".encode()),
        ("traceparent", MARK.encode()),
    ]


def _value(**more: object) -> bytes:
    return json.dumps({"burrow_id": str(TENANT), "depth": 3, "digger": MARK, **more}).encode()


def _grant(personal: Literal["omitted", "masked", "plain"]) -> Grant:
    return Grant(TENANT, {"burrow.dug": Burrow}, personal)


@pytest.mark.parametrize(("personal", "digger"), [("omitted", None), ("masked", REDACTED)])
def test_the_mark_is_nowhere(personal: Literal["omitted", "masked"], digger: str | None) -> None:
    told = shown(_grant(personal), _headers(), _value(unknown={"deep": [MARK]}))
    assert told is not None
    assert MARK.encode() not in told.value + b"".join(value for _, value in told.headers)
    assert {"depth": 3, "digger": digger} == {name: json.loads(told.value).get(name) for name in ("depth", "digger")}
    assert {"ce_type", "ce_tenantid", "ce_time"} == {name for name, _ in told.headers}


def test_plain_is_the_very_bytes_and_no_header_without_a_value() -> None:
    told = shown(_grant("plain"), _headers(), _value())
    assert told is not None
    assert told.value == _value()
    assert dict(told.headers) == {name: value for name, value in _headers() if value is not None}


def test_nothing_of_other_tenants_types_or_of_no_one() -> None:
    for headers in (_headers(uuid4()), _headers(type_of="burrow.filled"), [], _headers()[1:], _headers()[:1]):
        assert shown(_grant("plain"), headers, _value()) is None


@pytest.mark.parametrize("value", [f'"{MARK}"', f"[{MARK!r}]", MARK, "[" * 100_000])
def test_what_cannot_be_read_is_kept_back_and_not_repeated(value: str) -> None:
    with pytest.raises(KeptBack) as kept:
        shown(_grant("masked"), _headers(), value.encode())
    assert MARK not in f"{kept.value!r} {kept.value.__cause__!r}"
    assert kept.value.__suppress_context__ or kept.value.__context__ is None
