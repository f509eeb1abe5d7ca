"""Whatever stands in a topic, a service goes on: what cannot be read becomes a dead letter with its reason, and its copy stops no connector."""

import asyncio
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from toy import Answered, Asked, Memory, Note, NoteWritten

from tailrace.core.errors import Invalid
from tailrace.core.events import Event, Meta
from tailrace.core.ids import uuid7
from tailrace.db.error_classes import is_transient
from tailrace.http.routing import Tx
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.sagas import Run, Saga, history
from tailrace.messaging.subscribers import Projection
from tailrace_testing import Harness

MESSAGE = 1_000_000


async def _headers(toy: Harness) -> dict[str, str]:
    good = await toy.deliver(Asked(key=uuid7(), text="fine"), aggregate_id=uuid7())
    return {name: value.decode() for name, value in good.headers}


async def _reasons(toy: Harness) -> set[str]:
    return {row["reason"] for row in await toy.admin.fetch("SELECT reason FROM dead_letter")}


async def test_headers_that_no_column_holds_are_malformed(toy: Harness) -> None:
    headers = await _headers(toy)
    bad = {
        "ce_sequence": "9" * 30,
        "ce_epoch": "9" * 12,
        "ce_dataschema": "urn:x:v99999",
        "ce_type": "asking\x00asked",
        "traceparent": "\x00",
    }
    for name, value in bad.items():
        record = toy.record("asking.events", b"k", b"{}", {**headers, "ce_subject": str(uuid7()), name: value})
        await toy.redeliver(record, may_dead_letter=True)
    reasons = await _reasons(toy)
    assert len(reasons) == len(bad)
    assert all(any(name in reason for reason in reasons) for name in bad), reasons
    await toy.deliver(Asked(key=uuid7(), text="still going"), aggregate_id=uuid7())


class Stamped(Event):
    topic: ClassVar[str] = "stamp.events"
    publisher: ClassVar[str] = "post"
    type: ClassVar[str] = "stamp.put"


async def test_an_event_that_its_topic_does_not_belong_to_has_no_effect_and_stops_no_true_one(toy: Harness) -> None:
    stamps, put = Projection("toy.stamps"), []

    @stamps.on(Stamped)
    async def put_down(tx: Tx, event: Stamped, meta: Meta) -> None:
        put.append(meta.event_id)

    toy.dispatcher = Dispatcher("toy", toy.database, [stamps])
    for forged in ("/tailrace/orders", "post", "/tailrace/post/", "/tailrace/Post", "", None):
        true = await toy.deliver(Stamped(), aggregate_id=uuid7())
        put.clear()
        headers = {name: value.decode() for name, value in true.headers}
        fresh = {**headers, "ce_id": str(uuid7()), "ce_subject": str(uuid7()), "ce_source": forged}
        told = {name: value for name, value in fresh.items() if value is not None}
        key = fresh["ce_subject"].encode()
        await toy.redeliver(toy.record("stamp.events", key, b"{}", told), may_dead_letter=True)
        assert put == []
        # The true one has the same place, and is the first of its aggregate.
        told["ce_source"] = "/tailrace/post"
        await toy.redeliver(toy.record("stamp.events", key, b"{}", told), may_dead_letter=True)
        assert len(put) == 1
    reasons = await _reasons(toy)
    assert len(reasons) == 6
    assert all("stamp.events belongs to /tailrace/post" in reason for reason in reasons), reasons


async def test_a_reason_with_a_nul_in_it_is_kept_without(toy: Harness) -> None:
    hearsay = Projection("toy.hearsay")

    @hearsay.on(Asked)
    async def repeat(tx: Tx, event: Asked, meta: Meta) -> None:
        raise ValueError(f"cannot hear {event.text}")

    toy.dispatcher = Dispatcher("toy", toy.database, [hearsay])
    await toy.deliver(Asked(key=uuid7(), text="a\x00b"), aggregate_id=uuid7(), may_dead_letter=True)
    assert await _reasons(toy) == {"ValueError: cannot hear a�b"}


async def test_a_letter_about_a_large_record_fits_into_a_message(toy: Harness) -> None:
    headers = await _headers(toy)
    many = {f"x-{number}": "\x01" * 900 for number in range(900)}
    record = toy.record("asking.events", b"\xff" * 5000, b"\x01" * 900_000, {**many, **headers, "ce_id": "none"})
    await toy.redeliver(record, may_dead_letter=True)
    sizes = [
        row["size"]
        for row in await toy.admin.fetch("SELECT octet_length(payload) AS size FROM outbox WHERE topic = 'toy.dlq'")
    ]
    assert sizes and max(sizes) < MESSAGE


async def test_a_event_too_large_for_a_message_is_refused(toy: Harness) -> None:
    with pytest.raises(Invalid, match="Too much at once"):
        async with toy.tx() as tx:
            tx.add(Note.write("é" * 500_000))
    assert await toy.published() == []
    refused = await toy.client.post("/v1/notes", json={"text": "x" * 950_000})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [""])


def test_what_a_payload_held_is_not_repeated_in_its_error() -> None:
    with pytest.raises(ValidationError) as refused:
        NoteWritten.read(1, {"note_id": "jane@example.com", "text": 7})
    assert "jane" not in str(refused.value)


async def test_a_handler_that_passes_over_an_error_of_the_database_is_dead_lettered_for_it(toy: Harness) -> None:
    careless = Projection("toy.careless")

    @careless.on(Asked)
    async def hear(tx: Tx, event: Asked, meta: Meta) -> None:
        try:
            await tx.execute(text("SELECT 1 / 0"))
        except DBAPIError:
            return

    toy.dispatcher = Dispatcher("toy", toy.database, [careless])
    await toy.deliver(Asked(key=uuid7(), text="x"), aggregate_id=uuid7(), may_dead_letter=True)
    assert len(await _reasons(toy)) == 1
    assert await toy.admin.fetchval("SELECT max(sequence) FROM inbox") == 0


async def test_a_batch_of_several_tenants_keeps_them_apart(toy: Harness) -> None:
    keys = [uuid7() for _ in range(6)]
    tenants = [toy.tenant, toy.other_tenant] * 3
    records = []
    for key, tenant in zip(keys, tenants, strict=True):
        record = await toy.deliver(Asked(key=key, text="x"), aggregate_id=key, tenant=tenant)
        records.append(record)
    await toy.redeliver(*records)
    for tenant in (toy.tenant, toy.other_tenant):
        assert len(await toy.published("note.written", tenant=tenant)) == 3


def _quiet() -> Saga[Memory]:
    """Remembers, and moves only when it is answered."""
    quiet = Saga("toy.quiet", Memory)

    @quiet.starts(Asked, key=lambda e: e.key)
    async def begin(tx: Tx, run: Run[Memory], event: Asked, meta: Meta) -> None:
        run.data.asked += event.text
        if event.text == "broken":
            raise ValueError("cannot begin")

    @quiet.on_answer(Answered, key=lambda e: e.key)
    async def end(tx: Tx, run: Run[Memory], event: Answered, meta: Meta) -> None:
        run.goto("done")

    return quiet


async def test_a_saga_that_begins_without_a_step_goes_on(toy: Harness) -> None:
    toy.dispatcher = Dispatcher("toy", toy.database, [_quiet()])
    key, aggregate = uuid7(), uuid7()
    await toy.deliver(Asked(key=key, text="a"), aggregate_id=aggregate)
    await toy.deliver(Asked(key=key, text="b"), aggregate_id=aggregate)
    await toy.deliver(Answered(key=key), aggregate_id=aggregate)
    async with toy.tx() as tx:
        assert [step.to_state for step in await history(tx, "toy.quiet", key)] == ["done"]
    assert await toy.admin.fetchval("SELECT data->>'asked' FROM saga") == "ab"


async def test_a_step_that_fails_leaves_no_trace_but_a_dead_letter(toy: Harness) -> None:
    toy.dispatcher = Dispatcher("toy", toy.database, [_quiet()])
    await toy.deliver(Asked(key=uuid7(), text="broken"), aggregate_id=uuid7(), may_dead_letter=True)
    assert await _reasons(toy) == {"ValueError: cannot begin"}
    assert await toy.admin.fetchval("SELECT count(*) FROM saga") == 0


async def test_two_that_begin_one_saga_at_once_are_one(toy: Harness) -> None:
    dispatchers = [Dispatcher("toy", toy.database, [_quiet()]) for _ in range(2)]
    for _ in range(10):
        key = uuid7()
        events = [_unread(toy, Asked(key=key, text=word), uuid7()) for word in ("a", "b")]
        await asyncio.gather(
            *[_until_applied(dispatcher, event) for dispatcher, event in zip(dispatchers, events, strict=True)]
        )
        assert set(await toy.admin.fetchval("SELECT data->>'asked' FROM saga WHERE key = $1", key)) == {"a", "b"}
    assert await _reasons(toy) == set()


async def test_what_a_saga_remembers_may_grow(toy: Harness) -> None:
    class Remembering(BaseModel):
        asked: str = ""
        since: list[UUID] = []

    toy.dispatcher = Dispatcher("toy", toy.database, [_quiet()])
    key, aggregate = uuid7(), uuid7()
    await toy.deliver(Asked(key=key, text="a"), aggregate_id=aggregate)
    grown = Saga("toy.quiet", Remembering)

    @grown.on_answer(Answered, key=lambda e: e.key)
    async def end(tx: Tx, run: Run[Remembering], event: Answered, meta: Meta) -> None:
        run.data.since.append(meta.event_id)
        run.goto("done")

    toy.dispatcher = Dispatcher("toy", toy.database, [grown])
    await toy.deliver(Answered(key=key), aggregate_id=aggregate)
    assert await toy.admin.fetchval("SELECT jsonb_array_length(data->'since') FROM saga") == 1


def _unread(toy: Harness, event: Any, aggregate_id: UUID) -> Any:
    return toy._record(event, aggregate_id, 1, toy.tenant, datetime.now(UTC), None)


async def _until_applied(dispatcher: Dispatcher, event: Any) -> None:
    while True:
        try:
            return await dispatcher.deliver([event])
        except Exception as error:
            if not is_transient(error):
                raise
