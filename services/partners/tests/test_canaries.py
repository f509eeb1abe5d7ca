"""Marked data: in each place that a contract calls personal stands a value that stands nowhere else, and a partner without `plain` never gets it.

What is personal is read out of the published JSON Schemas, not asked of the code that leaves it out. The values go all the way: through a filler and
Kafka to the partner's topics, and from there to HTTP, with records that are broken in between.
"""

import asyncio
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord
from structlog.testing import capture_logs

from contracts.registry import events_by_type
from partners.filler import Wanted, fill
from partners.masking import Grant, shown
from tailrace.core.events import Event
from tailrace.kafka import clients
from tailrace.kafka.cursor_reader import reading
from tailrace.kafka.shared_reader import shared_reader
from tailrace.kafka.topics import create_topics

CANARY, NUMBER, KEPT = "Zaphod-7Q", 7741990317, "of-no-person"
SCHEMAS = Path(__file__).parents[3] / "contracts/schemas"
UNKNOWN = 3
"""How often the canary stands in what no contract knows, which is in every value."""
VARIANTS = range(3)
"""So many branches of each union are tried."""
TENANT = uuid4()
BROKEN = [
    f'"{CANARY}"',
    f"[{CANARY!r}]",
    CANARY,
    f'{{"name": "{CANARY}"',
    "[" * 100_000 + CANARY,
]


def _said(node: Mapping[str, Any], defs: Mapping[str, Any], personal: bool, variant: int) -> Any:
    """Something of that schema, with the canary wherever it, or what it is in, is personal."""
    personal = personal or node.get("x-personal") is True
    if "$ref" in node:
        return _said(defs[node["$ref"].rpartition("/")[2]], defs, personal, variant)
    if "anyOf" in node or "oneOf" in node:
        branches = [each for each in node.get("anyOf", node.get("oneOf")) if each.get("type") != "null"]
        return _said(branches[variant % len(branches)], defs, personal, variant)
    if "const" in node or "enum" in node:
        return CANARY if personal else node.get("const", node.get("enum", [None])[0])
    kind = node.get("type")
    if kind == "array":
        items = [*node.get("prefixItems", ()), *([node["items"]] * 2 if isinstance(node.get("items"), dict) else ())]
        return [_said(each, defs, personal, variant + at) for at, each in enumerate(items)]
    if kind == "object" or kind is None:
        found = {name: _said(each, defs, personal, variant) for name, each in node.get("properties", {}).items()}
        if isinstance(more := node.get("additionalProperties"), dict):
            found |= {CANARY if personal else "any": _said(more, defs, personal, variant)}
        return found or (CANARY if personal else KEPT)
    if kind == "string":
        return CANARY if personal else KEPT
    return (NUMBER if personal else 1) if kind in {"integer", "number"} else False


@cache
def _marked() -> list[tuple[str, bytes]]:
    """Type and value of each, of every contract there is."""
    found = []
    for path in sorted(SCHEMAS.glob("*.json")):
        schema = json.loads(path.read_text())
        type_ = path.name.rpartition(".v")[0]
        if type_ not in events_by_type():
            continue
        for variant in VARIANTS:
            said = _said(schema, schema.get("$defs", {}), False, variant) | {"unknown": [CANARY, {CANARY: CANARY}]}
            found.append((type_, json.dumps(said).encode()))
    return found


def _headers(type_: str) -> list[tuple[str, bytes | None]]:
    known = {"ce_id": str(uuid4()), "ce_type": type_, "ce_tenantid": str(TENANT), "ce_causationid": str(uuid4())}
    told = {"ce_actorid": f"user:{CANARY}", "traceparent": CANARY, "tracestate": CANARY, "x-name": CANARY}
    return [(name, text.encode()) for name, text in {**known, **told}.items()]


def _grant(personal: Literal["omitted", "masked", "plain"]) -> Grant:
    return Grant(TENANT, events_by_type(), personal)


@pytest.mark.parametrize("personal", ["omitted", "masked"])
def test_no_value_that_a_contract_calls_personal_is_passed_on_and_every_other_is(
    personal: Literal["omitted", "masked"],
) -> None:
    tried = 0
    for type_, value in _marked():
        told = shown(_grant(personal), _headers(type_), value)
        assert told is not None
        passed = b"\n".join([told.value, *(name.encode() + text for name, text in told.headers)])
        assert CANARY.encode() not in passed, type_
        assert str(NUMBER).encode() not in passed, type_
        assert told.value.count(KEPT.encode()) == value.count(KEPT.encode()), type_
        tried += value.count(CANARY.encode()) > UNKNOWN
    # Of every contract that has personal fields, in each of its variants.
    assert tried > 80


def test_plain_passes_all_of_it() -> None:
    for type_, value in _marked():
        told = shown(_grant("plain"), _headers(type_), value)
        assert told is not None
        assert (told.value, dict(told.headers)) == (value, dict(_headers(type_)) | dict(told.headers))


async def test_neither_topics_nor_http_nor_the_log_has_the_value(kafka: str) -> None:
    types = [type_ for type_, value in _marked() if value.count(CANARY.encode()) > UNKNOWN]
    topics = sorted({events_by_type()[type_].topic for type_ in types})
    sources = {topic: f"canary.{uuid4().hex[:6]}.{topic}" for topic in topics}
    events: dict[str, type[Event]] = {
        type_: type("Marked", (events_by_type()[type_],), {"topic": sources[events_by_type()[type_].topic]})
        for type_ in types
    }
    partner = uuid4()
    wanted = Wanted(partner, Grant(TENANT, events, "masked"), None)
    targets = [f"partner.{partner}.{source}" for source in wanted.topics]
    await create_topics(kafka, [*wanted.topics, *targets], 1, 1)
    count = 0
    async with clients.producer(kafka) as producer:
        for type_, value in _marked():
            if type_ in events:
                for body in (value, *(each.encode() for each in BROKEN[: 1 + count % 5])):
                    await producer.send(events[type_].topic, body, key=b"k", headers=_headers(type_))
                count += 1
    stop = asyncio.Event()
    with capture_logs() as said:
        async with shared_reader(kafka) as shared:
            filling = asyncio.create_task(fill(kafka, wanted, stop, shared))
            try:
                records = await _read(kafka, targets, count)
            finally:
                stop.set()
                await filling
    assert len(records) == count
    for record in records:
        passed = [record.value or b"", record.key or b"", *(text for _, text in record.headers)]
        assert CANARY.encode() not in b"\n".join(passed)
    kept_back = [each for each in said if each["event"] == "a record is kept back"]
    assert len(kept_back) > count
    assert CANARY not in repr(said)
    assert CANARY.encode() not in await _by_http(kafka, targets, count)


async def _read(kafka: str, topics: list[str], count: int) -> list[ConsumerRecord]:
    found: list[ConsumerRecord] = []
    async with asyncio.timeout(60), clients.consumer(kafka, *topics) as consumer:
        while len(found) < count:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
    return found


async def _by_http(kafka: str, topics: list[str], count: int) -> bytes:
    """All that is handed out by HTTP."""
    found: list[bytes] = []
    async with asyncio.timeout(60), reading(kafka, topics, {}) as reader:
        while len(found) < count:
            found += [each.document for each in await reader.more(500, 0.2)]
    return b"\n".join(found)
