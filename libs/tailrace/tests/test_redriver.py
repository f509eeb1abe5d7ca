"""Dead letters are applied in sequence, once, to the one subscriber they wait for, whatever else is at work; or it is given up with a reason."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import ConsumerRecord
from sqlalchemy import event, exists, select
from toy import Asked

from tailrace.core.ids import uuid7
from tailrace.db import tables
from tailrace.db.error_classes import is_transient
from tailrace.messaging.inbox import MarkMoved, Pair
from tailrace.redrive.redriver import NotDroppable, Place, drop, redrive_forever
from tailrace.runtime.migrate import migrate
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

HEARD, ECHO = "toy.heard", "toy.echo"


async def _ask(toy: Harness, aggregate: UUID, *texts: str, **options: Any) -> list[Any]:
    return [
        await toy.deliver(Asked(key=aggregate, text=text), aggregate_id=aggregate, may_dead_letter=True, **options)
        for text in texts
    ]


async def _hear(toy: Harness, key: UUID) -> None:
    """Put what some events wait for into the database, as another topic's event would."""
    await toy.admin.execute("INSERT INTO heard (tenant_id, key, times) VALUES ($1, $2, 1)", toy.tenant, key)


async def _dead_letters(toy: Harness, pair: Pair) -> list[tuple[str, int]]:
    rows = await toy.admin.fetch(
        "SELECT kind, sequence FROM dead_letter WHERE subscriber = $1 AND aggregate_id = $2 ORDER BY sequence, topic",
        *pair,
    )
    return [(row["kind"], row["sequence"]) for row in rows]


async def _mark(toy: Harness, pair: Pair) -> int | None:
    mark: int | None = await toy.admin.fetchval(
        "SELECT sequence FROM inbox WHERE subscriber = $1 AND aggregate_id = $2", *pair
    )
    return mark


async def _echoed(toy: Harness) -> list[str]:
    return [event.event.text for event in await toy.published("note.written")]  # type: ignore[attr-defined]


async def _times(toy: Harness, key: UUID) -> int:
    return await toy.admin.fetchval("SELECT times FROM heard WHERE key = $1", key) or 0


async def _let_time_pass(toy: Harness, hours: int = 1) -> None:
    """Backwards too: for a test that must be done before a pause of a second or two is over, however slow the machine is."""
    await toy.admin.execute(
        "UPDATE dead_letter SET dead_lettered_at = dead_lettered_at - $1 * interval '1 hour',"
        " redriven_at = redriven_at - $1 * interval '1 hour'",
        hours,
    )


@asynccontextmanager
async def _nobody_hears(toy: Harness) -> AsyncIterator[None]:
    """Whoever reads or writes what was heard stands still, in the middle of a transaction, until this ends."""
    async with toy.admin.transaction():
        await toy.admin.execute("LOCK TABLE heard IN ACCESS EXCLUSIVE MODE")
        yield


async def _stand_still(toy: Harness, count: int) -> None:
    query = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    await eventually(lambda: toy.admin.fetchval(query), lambda n: n == count, what=f"{count} that wait for a lock")


async def test_applied_in_sequence_to_that_subscriber_alone(toy: Harness) -> None:
    cure, key = uuid7(), uuid7()
    texts = [f"poison {cure}", "two", "three", "four"]
    records = await _ask(toy, key, *texts)
    failed = await toy.redriver.redrive((ECHO, key))
    assert (failed.applied, failed.stopped and (failed.stopped.kind, failed.stopped.attempts)) == (0, ("failed", 1))
    await _hear(toy, cure)
    done = await toy.redriver.redrive((ECHO, key))
    assert (done.applied, done.duplicates, done.stopped) == (4, 0, None)
    assert await _echoed(toy) == texts
    causes = [dict(record.headers)["ce_id"].decode() for record in records]
    assert [str(event.causation_id) for event in await toy.published("note.written")] == causes
    assert (await _dead_letters(toy, (ECHO, key)), await _mark(toy, (ECHO, key))) == ([], 4)
    assert [sequence for _, sequence in await _dead_letters(toy, (HEARD, key))] == [1, 2, 3, 4]
    assert await _times(toy, key) == 0


async def test_stops_at_the_first_that_still_fails_and_says_why(toy: Harness) -> None:
    first, second, key = uuid7(), uuid7(), uuid7()
    await _ask(toy, key, f"poison {first}", "two", f"after {second}", "four")
    await _hear(toy, first)
    outcome = await toy.redriver.redrive((ECHO, key))
    assert outcome.applied == 2
    assert outcome.stopped is not None
    assert (outcome.stopped.sequence, outcome.stopped.kind, outcome.stopped.attempts) == (3, "not_yet", 1)
    assert outcome.stopped.reason == f"NotYet: {second} was not heard"
    await _ask(toy, key, "five")
    assert await _dead_letters(toy, (ECHO, key)) == [("not_yet", 3), ("behind", 4), ("behind", 5)]
    assert (await _echoed(toy), await _mark(toy, (ECHO, key))) == ([f"poison {first}", "two"], 2)
    letters = await toy.admin.fetch("SELECT payload FROM outbox WHERE topic = 'toy.dlq' ORDER BY id")
    assert [second.hex in row["payload"].replace("-", "") for row in letters] == [False, False, True]


async def test_not_yet_is_applied_automatically_with_growing_pauses(toy: Harness) -> None:
    other, key = uuid7(), uuid7()
    poisoned = uuid7()
    await _ask(toy, key, f"after {other}", "two")
    await _ask(toy, poisoned, f"poison {other}")
    await _let_time_pass(toy, -1)
    assert await toy.redriver.redrive_due() == []
    await _let_time_pass(toy, 2)
    tried = await toy.redriver.redrive_due()
    assert sorted(outcome.pair[0] for outcome in tried) == [ECHO, HEARD]
    assert {(outcome.applied, outcome.stopped and outcome.stopped.attempts) for outcome in tried} == {(0, 1)}
    await _hear(toy, other)
    await _let_time_pass(toy, -1)
    assert await toy.redriver.redrive_due() == []
    await _let_time_pass(toy, 2)
    assert [outcome.applied for outcome in await toy.redriver.redrive_due()] == [2, 2]
    assert (await _echoed(toy), await _times(toy, key)) == ([f"after {other}", "two"], 2)
    assert await _dead_letters(toy, (ECHO, poisoned)) == [("failed", 1)]


async def test_the_pause_grows_to_half_a_minute(toy: Harness) -> None:
    await _ask(toy, uuid7(), f"after {uuid7()}")
    for attempts, seconds, tried in ((0, 5, 2), (10, 5, 0), (10, 31, 2)):
        last = "UPDATE dead_letter SET attempts = $1, redriven_at = clock_timestamp() - $2 * interval '1 second'"
        await toy.admin.execute(last, attempts, seconds)
        assert len(await toy.redriver.redrive_due()) == tried, (attempts, seconds)


async def test_a_gap_goes_on_when_the_missing_event_arrives(toy: Harness) -> None:
    key = uuid7()
    await _ask(toy, key, "two", sequence=2)
    await _ask(toy, key, "three")
    assert await toy.redriver.redrive_due() == []
    stays = await toy.redriver.redrive((ECHO, key))
    assert (stays.applied, stays.stopped and stays.stopped.kind) == (0, "gap")
    await _ask(toy, key, "one", sequence=1)
    assert await _echoed(toy) == []
    assert [outcome.applied for outcome in await toy.redriver.redrive_due()] == [3, 3, 3]
    assert (await _echoed(toy), await _times(toy, key)) == (["one", "two", "three"], 3)
    await _ask(toy, key, "four", sequence=4)
    assert await _dead_letters(toy, (ECHO, key)) == []


async def test_what_is_dropped_is_kept_with_its_reason_and_the_others_go_on(toy: Harness) -> None:
    key = uuid7()
    records = await _ask(toy, key, f"poison {uuid7()}", "two", "three")
    places = [Place(ECHO, record.topic, record.partition, record.offset) for record in records]
    with pytest.raises(NotDroppable, match="an earlier event"):
        await drop(toy.database, places[1], "in the way", "ada")
    gone = await drop(toy.database, places[0], "typed twice", "ada")
    assert (gone.missing, gone.behind) == (0, 2)
    (outcome,) = await toy.redriver.redrive_due()
    assert (outcome.pair, outcome.applied, outcome.stopped) == ((ECHO, key), 2, None)
    await toy.redeliver(*records, may_dead_letter=True)
    assert (await _echoed(toy), await _mark(toy, (ECHO, key))) == (["two", "three"], 3)
    row = await toy.admin.fetchrow("SELECT * FROM dropped")
    assert row is not None
    assert (row["because"], row["dropped_by"], row["sequence"], row["kind"]) == ("typed twice", "ada", 1, "failed")
    assert row["reason"].startswith("ValueError: cannot hear that")
    with pytest.raises(NotDroppable, match="no dead letter is there"):
        await drop(toy.database, places[0], "again", "ada")
    app = await asyncpg.connect(toy.settings.database("toy").replace("+asyncpg", ""))
    try:
        for statement in ("UPDATE dropped SET because = ''", "DELETE FROM dropped"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()


async def test_dropping_over_a_gap_gives_up_what_is_missing(toy: Harness) -> None:
    key = uuid7()
    (late,) = await _ask(toy, key, "four", sequence=4)
    await _ask(toy, key, "five")
    gone = await drop(toy.database, Place(ECHO, late.topic, 0, late.offset), "lost at the source", "ada")
    assert (gone.missing, gone.behind) == (3, 1)
    assert [(outcome.pair, outcome.applied) for outcome in await toy.redriver.redrive_due()] == [((ECHO, key), 1)]
    await _ask(toy, key, "three", sequence=3)
    assert await _echoed(toy) == ["five"]


async def test_an_unreadable_record_can_only_be_dropped_and_stays_away(toy: Harness) -> None:
    record = toy.record("asking.events", b"x", b"{}", {})
    await toy.redeliver(record, may_dead_letter=True)
    await _let_time_pass(toy)
    assert await toy.redriver.redrive_due() == []
    await drop(toy.database, Place(ECHO, record.topic, 0, record.offset), "noise", "ada")
    await toy.redeliver(record, may_dead_letter=True)
    assert {row[0] for row in await toy.admin.fetch("SELECT subscriber FROM dead_letter")} == {HEARD, "toy.talk"}


async def test_republished_and_redelivered_events_are_duplicates(toy: Harness) -> None:
    cure, key = uuid7(), uuid7()
    records = await _ask(toy, key, f"poison {cure}", "two")
    again = [toy.record(r.topic, r.key, r.value, {n: v.decode() for n, v in r.headers}) for r in records]
    await toy.redeliver(*again, may_dead_letter=True)
    assert [sequence for _, sequence in await _dead_letters(toy, (ECHO, key))] == [1, 1, 2, 2]
    await _hear(toy, cure)
    outcome = await toy.redriver.redrive((ECHO, key))
    assert (outcome.applied, outcome.duplicates, outcome.stopped) == (2, 2, None)
    await toy.redeliver(*records, *again, may_dead_letter=True)
    assert (await _echoed(toy), await _dead_letters(toy, (ECHO, key))) == ([f"poison {cure}", "two"], [])


async def test_a_record_that_kafka_lost_says_so(toy: Harness) -> None:
    key = uuid7()
    await _ask(toy, key, f"after {uuid7()}")
    await toy.admin.execute("UPDATE dead_letter SET \"offset\" = 999 WHERE subscriber = 'toy.echo'")
    outcome = await toy.redriver.redrive((ECHO, key))
    assert outcome.stopped is not None
    assert (outcome.stopped.kind, outcome.stopped.reason[:10]) == ("failed", "RecordGone")


async def test_redrives_of_one_aggregate_take_turns(toy: Harness) -> None:
    cure, key = uuid7(), uuid7()
    texts = [f"poison {cure}", *map(str, range(2, 12))]
    await _ask(toy, key, *texts)
    await _hear(toy, cure)
    async with _nobody_hears(toy):
        redrives = [asyncio.create_task(toy.redriver.redrive((ECHO, key))) for _ in range(4)]
        await _stand_still(toy, 4)
    outcomes = await asyncio.gather(*redrives)
    assert sum(outcome.applied for outcome in outcomes) == sum(outcome.progress for outcome in outcomes) == 11
    assert {outcome.stopped for outcome in outcomes} == {None}
    assert (await _echoed(toy), await _mark(toy, (ECHO, key))) == (texts, 11)


async def test_of_redrives_that_fail_at_once_one_counts(toy: Harness) -> None:
    key = uuid7()
    await _ask(toy, key, f"after {uuid7()}")
    async with _nobody_hears(toy):
        redrives = [asyncio.create_task(toy.redriver.redrive((HEARD, key))) for _ in range(3)]
        await _stand_still(toy, 3)
    outcomes = await asyncio.gather(*redrives)
    attempts = await toy.admin.fetchval("SELECT attempts FROM dead_letter WHERE subscriber = $1", HEARD)
    assert attempts == max(outcome.stopped.attempts for outcome in outcomes if outcome.stopped)
    assert 1 <= attempts <= 3


@pytest.mark.parametrize("begun", [False, True], ids=["at the first event", "later on"])
async def test_an_event_that_comes_while_the_last_dead_letter_is_applied_follows_it(toy: Harness, begun: bool) -> None:
    cure, key = uuid7(), uuid7()
    texts = (["zero"] if begun else []) + [f"poison {cure}"]
    await _ask(toy, key, *texts)
    await _hear(toy, cure)
    following = _event(toy, key, len(texts) + 1, "next")
    async with _nobody_hears(toy):
        redrive = asyncio.create_task(toy.redriver.redrive((HEARD, key)))
        await _stand_still(toy, 1)
        live = asyncio.create_task(toy.dispatcher.deliver([following]))
        await _stand_still(toy, 2)
    await asyncio.gather(redrive, live)
    assert await _dead_letters(toy, (HEARD, key)) == []
    assert (await _times(toy, key), await _mark(toy, (HEARD, key))) == (len(texts) + 1, len(texts) + 1)


@pytest.mark.parametrize("begun", [False, True], ids=["at the first event", "later on"])
async def test_an_event_dead_lettered_behind_while_a_redrive_begins_is_redriven_too(toy: Harness, begun: bool) -> None:
    cure, key, other = uuid7(), uuid7(), uuid7()
    texts = (["zero"] if begun else []) + [f"poison {cure}"]
    await _ask(toy, key, *texts)
    await _hear(toy, cure)
    behind, slow = _event(toy, key, len(texts) + 1, "next"), _event(toy, other, 1, "slow")
    async with _nobody_hears(toy):
        live = asyncio.create_task(toy.dispatcher.deliver([behind, slow]))
        await _stand_still(toy, 1)
        redrive = asyncio.create_task(toy.redriver.redrive((HEARD, key)))
        await _stand_still(toy, 2)
    await live
    assert (await redrive).applied == 2
    assert (await _dead_letters(toy, (HEARD, key)), await _times(toy, key)) == ([], len(texts) + 1)
    assert await _times(toy, other) == 1


async def test_an_aggregates_first_events_are_not_applied_again_behind_the_first_of_them(toy: Harness) -> None:
    """While one consumer applies two first events in one transaction, another one, in a rebalance, has applied the first and gone."""
    key = uuid7()
    events = [_event(toy, key, number, text) for number, text in ((1, "one"), (2, "two"))]
    async with _nobody_hears(toy):
        both = asyncio.create_task(toy.dispatcher.deliver(events))
        await _stand_still(toy, 1)
        for subscriber in (HEARD, ECHO, "toy.talk"):
            await toy.admin.execute("INSERT INTO inbox VALUES ($1, $2, 1, 1)", subscriber, key)
    with pytest.raises(MarkMoved):
        await both
    assert (await _times(toy, key), await _echoed(toy)) == (0, [])
    await toy.dispatcher.deliver(events)
    assert (await _times(toy, key), await _echoed(toy), await _mark(toy, (ECHO, key))) == (1, ["two"], 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_exact_while_consumers_and_redrives_meet(toy: Harness, seed: int) -> None:
    """Two consumers (a rebalance) and three redrives over events of which some wait for others: each has one effect, in sequence."""
    chance = random.Random(seed)
    keys, cures = [uuid7() for _ in range(4)], [uuid7() for _ in range(4)]
    words = ["plain", *(f"{word} {cure}" for word in ("after", "poison") for cure in cures[:2])]
    events = [_event(toy, key, n, chance.choice(words)) for n in range(1, 16) for key in keys]
    delivered = asyncio.Event()

    async def consume() -> None:
        for start in range(0, len(events), 5):
            while not await _came_through(toy.dispatcher.deliver(events[start : start + 5])):
                continue
            await asyncio.sleep(chance.random() / 50)

    async def redrive() -> None:
        while not delivered.is_set() or await _any_dead_letter(toy):
            await _came_through(toy.redriver.redrive((chance.choice([HEARD, ECHO]), chance.choice(keys))))
            await asyncio.sleep(0.005)

    async def cure() -> None:
        for key in cures:
            await asyncio.sleep(0.2)
            await _hear(toy, key)

    redrives = [asyncio.create_task(redrive()) for _ in range(3)]
    await asyncio.gather(consume(), consume(), cure())
    delivered.set()
    await asyncio.wait_for(asyncio.gather(*redrives), 300)
    assert {await _times(toy, key) for key in keys} == {15}
    places = {
        headers["ce_id"]: (headers["ce_subject"], int(headers["ce_sequence"])) for headers in map(_headers, events)
    }
    echoed: dict[str, list[int]] = {str(key): [] for key in keys}
    for note in await toy.published("note.written"):
        aggregate, sequence = places[str(note.causation_id)]
        echoed[aggregate].append(sequence)
    assert echoed == {str(key): list(range(1, 16)) for key in keys}


async def test_no_dead_letter_costs_one_query(toy: Harness) -> None:
    await _ask(toy, uuid7(), "fine")
    asked: list[str] = []
    engine = toy.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert await toy.redriver.redrive_due() == []
    assert len(asked) == 1
    assert asked[0].startswith("SELECT")


async def test_the_background_redrives_and_stops_when_told(toy: Harness) -> None:
    cure, key, stop = uuid7(), uuid7(), asyncio.Event()
    await _ask(toy, key, f"after {cure}", "two")
    background = asyncio.create_task(
        redrive_forever(
            toy.service.name, toy.service.subscribers, toy.database, lambda: nullcontext(toy.read_record), stop
        )
    )
    await _hear(toy, cure)
    await eventually(lambda: _dead_letters(toy, (ECHO, key)), lambda rows: rows == [], what="an empty slate")
    stop.set()
    await asyncio.wait_for(background, 300)
    assert await _echoed(toy) == [f"after {cure}", "two"]


async def test_a_database_from_before_is_brought_up_to_date(toy: Harness) -> None:
    cure, key = uuid7(), uuid7()
    await _ask(toy, key, f"poison {cure}")
    await toy.admin.execute(
        """ALTER TABLE dead_letter DROP COLUMN attempts, DROP COLUMN redriven_at; DROP TABLE dropped; DROP INDEX ix_dead_letter_in_sequence;
           CREATE INDEX ix_dead_letter_subscriber_aggregate_id ON dead_letter (subscriber, aggregate_id);
           DELETE FROM inbox; UPDATE alembic_version_kit SET version_num = 'kit_0001'"""
    )
    owner = toy.settings.model_copy(update={"database_url": None}).database("toy", "owner")
    await migrate(toy.service, f"{owner.rsplit('/', 1)[0]}/{toy.database_name}")
    indexes = await toy.admin.fetch("SELECT indexname FROM pg_indexes WHERE tablename = 'dead_letter'")
    assert {row["indexname"] for row in indexes} == {"pk_dead_letter", "ix_dead_letter_in_sequence"}
    await _hear(toy, cure)
    assert (await toy.redriver.redrive((ECHO, key))).applied == 1
    record, _ = await _ask(toy, key, f"poison {uuid7()}", "three")
    assert [sequence for _, sequence in await _dead_letters(toy, (ECHO, key))] == [2, 3]
    assert (await drop(toy.database, Place(ECHO, record.topic, 0, record.offset), "done", "ada")).behind == 1


async def _came_through(work: Awaitable[Any]) -> bool:
    """Whether it did, or met with something that passes; anything else is raised."""
    try:
        await work
    except Exception as error:
        if is_transient(error):
            return False
        raise
    return True


async def _any_dead_letter(toy: Harness) -> bool:
    async with toy.tx() as tx:
        return bool(await tx.scalar(select(exists().select_from(tables.dead_letter))))


def _event(toy: Harness, key: UUID, sequence: int, text: str) -> ConsumerRecord:
    return toy._record(Asked(key=key, text=text), key, sequence, toy.tenant, datetime.now(UTC), None)


def _headers(record: ConsumerRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}
