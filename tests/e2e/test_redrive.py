"""An event that could not be applied comes right by itself when what it waited for arrives, or is given up by command, and its aggregate goes on."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from command import tailrace

from shipping.reactions import order_requests
from tailrace.kafka import clients
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import eventually

pytestmark = pytest.mark.operates

TOPIC = "order.events"


async def _send(fleet: Stack, aggregate: UUID, type: str, *sequences: int, source: str = "/tailrace/orders") -> None:
    """Events of an order that no service wrote, as a foreign or broken publisher would send them."""
    producer = AIOKafkaProducer(**clients.connection(fleet.kafka), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for sequence in sequences:
            headers = {
                "ce_id": uuid4(),
                "ce_type": type,
                "ce_source": source,
                "ce_subject": aggregate,
                "ce_time": datetime.now(UTC).isoformat(),
                "ce_dataschema": "urn:test:v1",
                "ce_tenantid": aggregate,
                "ce_sequence": sequence,
                "ce_epoch": 1,
                "ce_correlationid": uuid4(),
            }
            pairs = [(name, str(value).encode()) for name, value in headers.items()]
            await producer.send_and_wait(TOPIC, b'{"nonsense": true}', key=str(aggregate).encode(), headers=pairs)
    finally:
        await producer.stop()


async def _dlq(fleet: Stack, *arguments: object) -> tuple[int, str]:
    return await tailrace(fleet, "dlq", *arguments)


async def _dead_letters(fleet: Stack, aggregate: UUID) -> list[Any]:
    """Of the subscriber that takes requests for shipments; shipping has others that hear the topic."""
    connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/shipping")
    try:
        of = "SELECT * FROM dead_letter WHERE aggregate_id = $1 AND subscriber = $2 ORDER BY sequence"
        return list(await connection.fetch(of, aggregate, order_requests.name))
    finally:
        await connection.close()


async def _told_within_30_s(fleet: Stack, dead_lettered_at: datetime, kind: str) -> None:
    """`status`, `doctor` and the service's log name it, without being asked about it; the service stays ready."""
    asked = datetime.now(UTC)
    code, said = await tailrace(fleet, "status", "--json")
    shipping = json.loads(said)["services"]["shipping"]
    assert (code, shipping["ready"], shipping["dead_letter_kinds"].get(kind, 0) >= 1) == (0, True, True), said
    code, said = await tailrace(fleet, "status")
    (line,) = [line for line in said.splitlines() if "dlq list --service shipping" in line]
    assert f" {kind}" in line
    code, said = await tailrace(fleet, "doctor")
    assert (code, "shipping has" in said, "tailrace dlq list --service shipping" in said) == (1, True, True), said
    assert f'"kind": "{kind}"' in fleet.plan.layout.log("shipping").read_text()
    assert asked - dead_lettered_at < timedelta(seconds=30)


async def test_dead_letters_come_right_or_are_given_up(fleet: Stack) -> None:
    aggregate = uuid4()
    await _send(fleet, aggregate, "order.rumoured", 2)
    (gap,) = await eventually(lambda: _dead_letters(fleet, aggregate), lambda rows: len(rows) == 1, what="a gap")
    assert gap["kind"] == "gap"
    await _told_within_30_s(fleet, gap["dead_lettered_at"], "gap")
    code, said = await _dlq(fleet, "list", "--service", "shipping")
    assert (code, str(aggregate) in said, "order.rumoured" in said) == (0, True, True), said
    again = ("redrive", "--service", "shipping", "--aggregate", aggregate, "--reason", "perhaps it came")
    code, said = await _dlq(fleet, *again)
    assert (code, "stopped at #2 (gap)" in said) == (1, True), said

    await _send(fleet, aggregate, "order.rumoured", 1)
    await eventually(lambda: _dead_letters(fleet, aggregate), lambda rows: rows == [], what="a gap that was filled")

    known = order_requests.events[0].type
    await _send(fleet, aggregate, known, 3)
    await _send(fleet, aggregate, "order.rumoured", 4)
    first, behind = await eventually(
        lambda: _dead_letters(fleet, aggregate), lambda rows: len(rows) == 2, what="two events"
    )
    assert (first["kind"], behind["kind"]) == ("malformed", "behind")
    await _told_within_30_s(fleet, first["dead_lettered_at"], "malformed")
    place = (TOPIC, first["partition"], first["offset"])
    code, said = await _dlq(fleet, "show", "shipping", *place)
    assert (code, '{"nonsense": true}' in said, known in said) == (0, True, True), said
    drop = ("drop", "shipping", order_requests.name, *place, "--reason", "sent by mistake")
    code, said = await _dlq(fleet, *drop)
    assert (code, "1 behind it are applied within seconds" in said) == (0, True), said
    await eventually(lambda: _dead_letters(fleet, aggregate), lambda rows: rows == [], what="the one behind")
    assert (await _dlq(fleet, *drop))[0] == 1
    code, said = await _dlq(fleet, "show", "shipping", *place)
    assert (code, "sent by mistake" in said) == (0, True), said
    assert (await _dlq(fleet, *again))[1].strip() == "Nothing like that is dead-lettered."
    code, said = await _dlq(fleet, "history", "--aggregate", aggregate)
    assert (code, "given up" in said, "0 applied, stopped at #2 (gap)" in said, "perhaps it came" in said) == (
        0,
        True,
        True,
        True,
    ), said


async def test_an_event_of_a_forger_has_no_effect_and_says_whose_the_topic_is(fleet: Stack) -> None:
    """Written by who may write the topic, with a source that it does not belong to; the true one, which comes later, is the first."""
    aggregate = uuid4()
    await _send(fleet, aggregate, "order.rumoured", 1, source="/tailrace/shipping")

    async def forged() -> list[Any]:
        connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/shipping")
        try:
            of = "SELECT * FROM dead_letter WHERE aggregate_id IS NULL AND subscriber = $1 AND reason LIKE '%ce_source is ''/tailrace/shipping''%'"
            return list(await connection.fetch(of, order_requests.name))
        finally:
            await connection.close()

    (letter,) = await eventually(forged, lambda rows: len(rows) == 1, what="the forged event")
    assert letter["kind"] == "malformed"
    assert letter["reason"] == "the header ce_source is '/tailrace/shipping'; order.events belongs to /tailrace/orders"
    await _send(fleet, aggregate, "order.rumoured", 1)
    await _send(fleet, aggregate, "order.rumoured", 3)
    (gap,) = await eventually(lambda: _dead_letters(fleet, aggregate), lambda rows: len(rows) == 1, what="a gap")
    assert (gap["kind"], gap["sequence"]) == ("gap", 3)  # after 1, which was applied
    await _send(fleet, aggregate, "order.rumoured", 2)
    await eventually(lambda: _dead_letters(fleet, aggregate), lambda rows: rows == [], what="the gap that was filled")
    drop = ("drop", "shipping", order_requests.name, TOPIC, letter["partition"], letter["offset"], "--reason", "forged")
    assert (await _dlq(fleet, *drop))[0] == 0
