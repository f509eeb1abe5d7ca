"""One effect per event and subscriber, whatever Kafka does; what cannot be applied waits aside, and everything else goes on."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from toy import Answered, Asked, Heard, Note, talk

from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.tables import dead_letter, inbox
from tailrace.messaging.inbox import MarkMoved
from tailrace.messaging.sagas import history
from tailrace_testing import Harness


async def _heard(toy: Harness) -> dict[UUID, int]:
    async with toy.tx() as tx:
        return {row.key: row.times for row in await tx.scalars(select(Heard))}


async def _dead_letters(toy: Harness) -> list[tuple[str, str, int]]:
    query = select(dead_letter.c.subscriber, dead_letter.c.kind, dead_letter.c.sequence).order_by(
        dead_letter.c.subscriber, dead_letter.c.sequence
    )
    async with toy.tx() as tx:
        return [(row[0], row[1], row[2]) for row in await tx.execute(query)]


async def test_delivered_twice_is_applied_once(toy: Harness) -> None:
    key = uuid7()
    record = await toy.deliver(Asked(key=key, text="hi"), aggregate_id=key)
    await toy.redeliver(record, record)
    assert await _heard(toy) == {key: 1}
    assert len(await toy.published("note.written")) == 1


async def test_delivered_by_eight_at_once_is_applied_once(toy: Harness) -> None:
    key = uuid7()
    record = await toy.deliver(Asked(key=uuid7(), text="first"), aggregate_id=key)
    event = toy.record(
        record.topic, record.key, record.value, {n: v.decode() for n, v in record.headers} | {"ce_sequence": "2"}
    )

    async def once() -> None:
        while True:
            try:
                return await toy.dispatcher.deliver([event])
            except MarkMoved:
                continue

    await asyncio.gather(*[once() for _ in range(8)])
    assert len(await toy.published("note.written")) == 2


async def test_events_nobody_handles_move_the_mark(toy: Harness) -> None:
    key = uuid7()
    await toy.deliver(Asked(key=key, text="one"), aggregate_id=key)
    await toy.deliver(Answered(key=key), aggregate_id=key)
    await toy.deliver(Asked(key=key, text="three"), aggregate_id=key)
    assert await _heard(toy) == {key: 2}
    async with toy.tx() as tx:
        marks = {row.subscriber: row.sequence for row in await tx.execute(select(inbox))}
    assert marks == {"toy.heard": 3, "toy.echo": 3, "toy.talk": 3}


async def test_a_poisoned_event_is_isolated_from_its_batch(toy: Harness) -> None:
    keys = [uuid7() for _ in range(5)]
    texts = ["a", "b", "poison", "d", "e"]
    records = [await _undelivered(toy, Asked(key=k, text=t), k) for k, t in zip(keys, texts, strict=True)]
    await toy.redeliver(*records, may_dead_letter=True)
    assert set(await _heard(toy)) == {k for k, t in zip(keys, texts, strict=True) if t != "poison"}
    assert await _dead_letters(toy) == [("toy.heard", "failed", 1)]
    assert len(await toy.published("note.written")) == 5


async def test_later_events_of_the_aggregate_become_dead_letters_behind_it(toy: Harness) -> None:
    key = uuid7()
    await toy.deliver(Asked(key=key, text="poison"), aggregate_id=key, may_dead_letter=True)
    await toy.deliver(Asked(key=key, text="fine"), aggregate_id=key, may_dead_letter=True)
    assert await _dead_letters(toy) == [("toy.heard", "failed", 1), ("toy.heard", "behind", 2)]
    assert await _heard(toy) == {}


async def test_a_gap_dead_letters_that_aggregate_alone(toy: Harness) -> None:
    broken, whole = uuid7(), uuid7()
    await toy.deliver(Asked(key=broken, text="third"), aggregate_id=broken, sequence=3, may_dead_letter=True)
    await toy.deliver(Asked(key=whole, text="first"), aggregate_id=whole)
    assert {kind for _, kind, _ in await _dead_letters(toy)} == {"gap"}
    assert set(await _heard(toy)) == {whole}


async def test_malformed_records_go_to_the_dead_letters_with_their_reason(toy: Harness) -> None:
    good = await toy.deliver(Asked(key=uuid7(), text="fine"), aggregate_id=uuid7())
    headers = {name: value.decode() for name, value in good.headers}
    key = uuid7()
    bad = [
        toy.record("asking.events", b"x", b"{}", {}),
        toy.record("asking.events", b"x", b"{}", {**headers, "ce_sequence": "none"}),
        toy.record("asking.events", b"\xff", b"\xff\x00", {**headers, "ce_subject": str(key), "ce_sequence": "1"}),
        toy.record("asking.events", b"x", None, {**headers, "ce_subject": str(uuid7()), "ce_sequence": "1"}),
    ]
    await toy.redeliver(*bad, may_dead_letter=True)
    letters = await toy.admin.fetch("SELECT payload FROM outbox WHERE topic = 'toy.dlq'")
    reasons = " ".join(row["payload"] for row in letters)
    assert len(letters) == 12
    for reason in ("the header ce_id is missing", "the header ce_sequence is 'none'", "the value is not JSON"):
        assert reason in reasons
    await toy.deliver(Asked(key=uuid7(), text="still going"), aggregate_id=uuid7())


async def test_the_reason_of_a_wrong_shape_names_the_field_and_not_its_value(toy: Harness) -> None:
    key = uuid7()
    record = await _undelivered(toy, Asked(key=key, text="x"), key)
    headers = {name: value.decode() for name, value in record.headers}
    wrong = toy.record(record.topic, record.key, b'{"key":"Ada Lovelace","text":"x"}', headers)
    await toy.redeliver(wrong, may_dead_letter=True)
    async with toy.tx() as tx:
        reasons = set(await tx.scalars(select(dead_letter.c.reason)))
    (reason,) = reasons
    assert reason.startswith("key: ")
    assert "Ada" not in reason


async def test_an_older_version_is_read_and_a_newer_one_waits(toy: Harness) -> None:
    key, later = uuid7(), uuid7()
    record = await _undelivered(toy, Asked(key=key, text="x"), key)
    headers = {name: value.decode() for name, value in record.headers}
    old = toy.record(
        record.topic,
        record.key,
        b'{"key":"%s","words":"old"}' % str(key).encode(),
        {**headers, "ce_dataschema": "urn:x:v1"},
    )
    await toy.redeliver(old)
    new = toy.record(
        record.topic, record.key, record.value, {**headers, "ce_subject": str(later), "ce_dataschema": "urn:x:v3"}
    )
    await toy.redeliver(new, may_dead_letter=True)
    assert await _heard(toy) == {key: 1}
    assert {kind for _, kind, _ in await _dead_letters(toy)} == {"unknown_version"}


async def test_a_reaction_names_its_cause_and_who_began_it(toy: Harness) -> None:
    key, cause = uuid7(), uuid7()
    record = await toy.deliver(Asked(key=key, text="why"), aggregate_id=key, event_id=cause)
    (note,) = await toy.published("note.written")
    correlation = dict(record.headers)["ce_correlationid"].decode()
    assert (note.causation_id, str(note.correlation_id)) == (cause, correlation)
    assert note.actor_id == str(toy.user)


async def test_a_saga_goes_on_with_its_answer_and_keeps_its_steps(toy: Harness) -> None:
    key, aggregate = uuid7(), uuid7()
    await toy.deliver(Asked(key=key, text="ready?"), aggregate_id=aggregate)
    await toy.deliver(Answered(key=key), aggregate_id=aggregate)
    async with toy.tx() as tx:
        steps = await history(tx, talk.name, key)
    assert [(s.from_state, s.to_state, s.because) for s in steps] == [
        ("begin", "waiting", "asking.asked"),
        ("waiting", "done", "asking.answered"),
    ]
    await toy.make_timers_due()
    assert await toy.fire_timers() == 0


async def test_a_time_out_fires_once_and_the_late_answer_sees_it(toy: Harness) -> None:
    key, aggregate = uuid7(), uuid7()
    await toy.deliver(Asked(key=key, text="ready?"), aggregate_id=aggregate)
    await toy.make_timers_due()
    assert sum(await asyncio.gather(*[toy.fire_timers() for _ in range(4)])) == 1
    await toy.deliver(Answered(key=key), aggregate_id=aggregate)
    async with toy.tx() as tx:
        assert [s.to_state for s in await history(tx, talk.name, key)] == ["waiting", "gave up", "late"]
        texts = {note.text for note in await tx.scalars(select(Note))}
    assert "no answer to ready?" in texts


async def test_an_answer_to_nobodys_question_is_passed_over(toy: Harness) -> None:
    await toy.deliver(Answered(key=uuid7()), aggregate_id=uuid7())
    async with toy.database.transaction(Context(toy.tenant)) as tx:
        assert (await tx.execute(select(dead_letter))).all() == []


async def _undelivered(toy: Harness, event: Any, aggregate_id: UUID) -> Any:
    return toy._record(event, aggregate_id, 1, toy.tenant, datetime.now(UTC), None)
