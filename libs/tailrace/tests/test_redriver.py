"""Dead letters are applied in sequence, once, to the one subscriber they wait for; or it is given up with a reason."""

import asyncio
from contextlib import nullcontext

import asyncpg
import pytest
from sqlalchemy import event
from toy.redriving import ECHO, HEARD, ask, dead_letters, echoed, hear, mark, times

from tailrace.core.ids import uuid7
from tailrace.db.lookout import Lookout
from tailrace.redrive.redriver import NotDroppable, Place, drop, redrive_forever
from tailrace.runtime.migrate import migrate
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually


async def _let_time_pass(toy: Harness, hours: int = 1) -> None:
    """Backwards too: for a test that must be done before a pause of a second or two is over, however slow the machine is."""
    await toy.admin.execute(
        "UPDATE dead_letter SET dead_lettered_at = dead_lettered_at - $1 * interval '1 hour',"
        " redriven_at = redriven_at - $1 * interval '1 hour'",
        hours,
    )


async def test_applied_in_sequence_to_that_subscriber_alone(toy: Harness) -> None:
    cure, key = uuid7(), uuid7()
    texts = [f"poison {cure}", "two", "three", "four"]
    records = await ask(toy, key, *texts)
    failed = await toy.redriver.redrive((ECHO, key))
    assert (failed.applied, failed.stopped and (failed.stopped.kind, failed.stopped.attempts)) == (0, ("failed", 1))
    await hear(toy, cure)
    done = await toy.redriver.redrive((ECHO, key))
    assert (done.applied, done.duplicates, done.stopped) == (4, 0, None)
    assert await echoed(toy) == texts
    causes = [dict(record.headers)["ce_id"].decode() for record in records]
    assert [str(event.causation_id) for event in await toy.published("note.written")] == causes
    assert (await dead_letters(toy, (ECHO, key)), await mark(toy, (ECHO, key))) == ([], 4)
    assert [sequence for _, sequence in await dead_letters(toy, (HEARD, key))] == [1, 2, 3, 4]
    assert await times(toy, key) == 0


async def test_stops_at_the_first_that_still_fails_and_says_why(toy: Harness) -> None:
    first, second, key = uuid7(), uuid7(), uuid7()
    await ask(toy, key, f"poison {first}", "two", f"after {second}", "four")
    await hear(toy, first)
    outcome = await toy.redriver.redrive((ECHO, key))
    assert outcome.applied == 2
    assert outcome.stopped is not None
    assert (outcome.stopped.sequence, outcome.stopped.kind, outcome.stopped.attempts) == (3, "not_yet", 1)
    assert outcome.stopped.reason == f"NotYet: {second} was not heard"
    await ask(toy, key, "five")
    assert await dead_letters(toy, (ECHO, key)) == [("not_yet", 3), ("behind", 4), ("behind", 5)]
    assert (await echoed(toy), await mark(toy, (ECHO, key))) == ([f"poison {first}", "two"], 2)
    letters = await toy.admin.fetch("SELECT payload FROM outbox WHERE topic = 'toy.dlq' ORDER BY id")
    assert [second.hex in row["payload"].replace("-", "") for row in letters] == [False, False, True]


async def test_not_yet_is_applied_automatically_with_growing_pauses(toy: Harness) -> None:
    other, key = uuid7(), uuid7()
    poisoned = uuid7()
    await ask(toy, key, f"after {other}", "two")
    await ask(toy, poisoned, f"poison {other}")
    await _let_time_pass(toy, -1)
    assert await toy.redriver.redrive_due() == []
    await _let_time_pass(toy, 2)
    tried = await toy.redriver.redrive_due()
    assert sorted(outcome.pair[0] for outcome in tried) == [ECHO, HEARD]
    assert {(outcome.applied, outcome.stopped and outcome.stopped.attempts) for outcome in tried} == {(0, 1)}
    await hear(toy, other)
    await _let_time_pass(toy, -1)
    assert await toy.redriver.redrive_due() == []
    await _let_time_pass(toy, 2)
    assert [outcome.applied for outcome in await toy.redriver.redrive_due()] == [2, 2]
    assert (await echoed(toy), await times(toy, key)) == ([f"after {other}", "two"], 2)
    assert await dead_letters(toy, (ECHO, poisoned)) == [("failed", 1)]


async def test_the_pause_grows_to_half_a_minute(toy: Harness) -> None:
    await ask(toy, uuid7(), f"after {uuid7()}")
    for attempts, seconds, tried in ((0, 5, 2), (10, 5, 0), (10, 31, 2)):
        last = "UPDATE dead_letter SET attempts = $1, redriven_at = clock_timestamp() - $2 * interval '1 second'"
        await toy.admin.execute(last, attempts, seconds)
        assert len(await toy.redriver.redrive_due()) == tried, (attempts, seconds)


async def test_a_gap_goes_on_when_the_missing_event_arrives(toy: Harness) -> None:
    key = uuid7()
    await ask(toy, key, "two", sequence=2)
    await ask(toy, key, "three")
    assert await toy.redriver.redrive_due() == []
    stays = await toy.redriver.redrive((ECHO, key))
    assert (stays.applied, stays.stopped and stays.stopped.kind) == (0, "gap")
    await ask(toy, key, "one", sequence=1)
    assert await echoed(toy) == []
    assert [outcome.applied for outcome in await toy.redriver.redrive_due()] == [3, 3, 3]
    assert (await echoed(toy), await times(toy, key)) == (["one", "two", "three"], 3)
    await ask(toy, key, "four", sequence=4)
    assert await dead_letters(toy, (ECHO, key)) == []


async def test_what_is_dropped_is_kept_with_its_reason_and_the_others_go_on(toy: Harness) -> None:
    key = uuid7()
    records = await ask(toy, key, f"poison {uuid7()}", "two", "three")
    places = [Place(ECHO, record.topic, record.partition, record.offset) for record in records]
    with pytest.raises(NotDroppable, match="an earlier event"):
        await drop(toy.database, places[1], "in the way", "ada")
    gone = await drop(toy.database, places[0], "typed twice", "ada")
    assert (gone.missing, gone.behind) == (0, 2)
    (outcome,) = await toy.redriver.redrive_due()
    assert (outcome.pair, outcome.applied, outcome.stopped) == ((ECHO, key), 2, None)
    await toy.redeliver(*records, may_dead_letter=True)
    assert (await echoed(toy), await mark(toy, (ECHO, key))) == (["two", "three"], 3)
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
    (late,) = await ask(toy, key, "four", sequence=4)
    await ask(toy, key, "five")
    gone = await drop(toy.database, Place(ECHO, late.topic, 0, late.offset), "lost at the source", "ada")
    assert (gone.missing, gone.behind) == (3, 1)
    assert [(outcome.pair, outcome.applied) for outcome in await toy.redriver.redrive_due()] == [((ECHO, key), 1)]
    await ask(toy, key, "three", sequence=3)
    assert await echoed(toy) == ["five"]


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
    records = await ask(toy, key, f"poison {cure}", "two")
    again = [toy.record(r.topic, r.key, r.value, {n: v.decode() for n, v in r.headers}) for r in records]
    await toy.redeliver(*again, may_dead_letter=True)
    assert [sequence for _, sequence in await dead_letters(toy, (ECHO, key))] == [1, 1, 2, 2]
    await hear(toy, cure)
    outcome = await toy.redriver.redrive((ECHO, key))
    assert (outcome.applied, outcome.duplicates, outcome.stopped) == (2, 2, None)
    await toy.redeliver(*records, *again, may_dead_letter=True)
    assert (await echoed(toy), await dead_letters(toy, (ECHO, key))) == ([f"poison {cure}", "two"], [])


async def test_a_record_that_kafka_lost_says_so(toy: Harness) -> None:
    key = uuid7()
    await ask(toy, key, f"after {uuid7()}")
    await toy.admin.execute("UPDATE dead_letter SET \"offset\" = 999 WHERE subscriber = 'toy.echo'")
    outcome = await toy.redriver.redrive((ECHO, key))
    assert outcome.stopped is not None
    assert (outcome.stopped.kind, outcome.stopped.reason[:10]) == ("failed", "RecordGone")


async def test_no_dead_letter_costs_one_query(toy: Harness) -> None:
    await ask(toy, uuid7(), "fine")
    asked: list[str] = []
    engine = toy.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert await toy.redriver.redrive_due() == []
    assert len(asked) == 1
    assert asked[0].startswith("SELECT")


async def test_the_background_redrives_and_stops_when_told(toy: Harness) -> None:
    cure, key, stop = uuid7(), uuid7(), asyncio.Event()
    await ask(toy, key, f"after {cure}", "two")
    lookout = Lookout(toy.database, every=5)
    toy.database.told = lookout.told
    background = asyncio.gather(
        redrive_forever(
            toy.service.name,
            toy.service.subscribers,
            toy.database,
            lambda: nullcontext(toy.read_record),
            stop,
            lookout=lookout,
        ),
        lookout.run(stop),
    )
    await hear(toy, cure)
    await eventually(lambda: dead_letters(toy, (ECHO, key)), lambda rows: rows == [], what="an empty slate")
    stop.set()
    await asyncio.wait_for(background, 300)
    assert await echoed(toy) == [f"after {cure}", "two"]


async def test_a_database_from_before_is_brought_up_to_date(toy: Harness) -> None:
    cure, key = uuid7(), uuid7()
    await ask(toy, key, f"poison {cure}")
    await toy.admin.execute(
        """ALTER TABLE dead_letter DROP COLUMN attempts, DROP COLUMN redriven_at; DROP TABLE dropped; DROP INDEX ix_dead_letter_in_sequence;
           CREATE INDEX ix_dead_letter_subscriber_aggregate_id ON dead_letter (subscriber, aggregate_id);
           DELETE FROM inbox; UPDATE alembic_version_kit SET version_num = 'kit_0001'"""
    )
    owner = toy.settings.model_copy(update={"database_url": None}).database("toy", "owner")
    await migrate(toy.service, f"{owner.rsplit('/', 1)[0]}/{toy.database_name}")
    indexes = await toy.admin.fetch("SELECT indexname FROM pg_indexes WHERE tablename = 'dead_letter'")
    assert {row["indexname"] for row in indexes} == {"pk_dead_letter", "ix_dead_letter_in_sequence"}
    await hear(toy, cure)
    assert (await toy.redriver.redrive((ECHO, key))).applied == 1
    record, _ = await ask(toy, key, f"poison {uuid7()}", "three")
    assert [sequence for _, sequence in await dead_letters(toy, (ECHO, key))] == [2, 3]
    assert (await drop(toy.database, Place(ECHO, record.topic, 0, record.offset), "done", "ada")).behind == 1
