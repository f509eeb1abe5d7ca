"""A read model is rebuilt from Kafka beside the live one and takes its place whole, whatever goes on or dies meanwhile."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from toy import Heard, Note
from toy import service as toy_service
from toy.asking import Asking, on_kafka

from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.database import Database, Tx
from tailrace.kafka.topic_reader import TopicReader
from tailrace.messaging.consumer import Consumer
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscribers import Projection
from tailrace.rebuild import shadow_schema
from tailrace.rebuild.builder import CannotRebuild
from tailrace.rebuild.cutover import tenants_of
from tailrace.rebuild.rebuild import Rebuilt, projection_of, rebuild
from tailrace.redrive.redriver import Place, drop
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

_SCHEMA = "rebuild_toy_heard"
_REBUILD = """
import asyncio, sys
from dataclasses import replace
from toy import service
from toy.elsewhere import elsewhere
from tailrace.rebuild.rebuild import rebuild
from tailrace.settings import Settings

toy = elsewhere(sys.argv[1])
asyncio.run(rebuild(replace(service, subscribers=[toy.heard], routers=[]), toy.heard, Settings(), owner_url=sys.argv[2]))
"""


class Live:
    """The service with what it listens to on the test's own topic; `dispatcher` is its live delivery."""

    def __init__(self, asking: Asking) -> None:
        self.asking, self.toy = asking, asking.toy
        self.service: Service = replace(toy_service, subscribers=[asking.heard, asking.echo], routers=[])
        self.settings = Settings(
            kafka=asking.kafka, database_url=self.toy.settings.database_url, consumer_batch=50, consumer_wait_ms=50
        )
        owner = self.toy.settings.model_copy(update={"database_url": None}).database("toy", "owner", "postgresql")
        self.owner_url = owner.rsplit("/", 1)[0] + f"/{self.toy.database_name}"

    async def rebuild(self, **options: Any) -> Rebuilt:
        service = options.pop("service", self.service)
        return await rebuild(service, service.subscribers[0], self.settings, owner_url=self.owner_url, **options)

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        dispatcher = Dispatcher("toy", self.toy.database, [self.asking.heard])
        running = asyncio.create_task(Consumer("toy", dispatcher, self.settings).run(stop))
        try:
            yield
        finally:
            stop.set()
            await running

    async def have(self) -> None:
        """Everything that was sent, applied."""
        async with self.consuming():
            await self.asking.comes_to("toy.heard")

    async def state(self) -> Any:
        """Rows, marks and dead letters, as one value."""
        queries = (
            "SELECT tenant_id, key, times FROM heard ORDER BY 1, 2",
            "SELECT aggregate_id, epoch, sequence FROM inbox WHERE subscriber = 'toy.heard' ORDER BY 1",
            "SELECT partition, \"offset\", kind, reason FROM dead_letter WHERE subscriber = 'toy.heard' ORDER BY 1, 2",
        )
        return [[tuple(row) for row in await self.toy.admin.fetch(query)] for query in queries]

    async def left_behind(self) -> bool:
        return bool(await self.toy.admin.fetchval("SELECT true FROM pg_namespace WHERE nspname = $1", _SCHEMA))


@pytest.fixture
async def live(toy: Harness, kafka: str) -> AsyncIterator[Live]:
    async with on_kafka(toy, kafka) as asking:
        yield Live(asking)


def _counts(rebuilt: Rebuilt) -> list[int]:
    found = rebuilt.compared
    return [sum(getattr(each, name) for each in found) for name in ("equal", "only_live", "only_rebuilt", "different")]


async def test_comes_out_the_same_and_repairs_what_was_damaged(live: Live) -> None:
    asking, admin = live.asking, live.toy.admin
    keys = [uuid7() for _ in range(20)]
    for _ in range(3):
        await asking.send(keys)
    await asking.send_for(live.toy.other_tenant, uuid7())
    await asking.answer(keys[0])
    await live.have()
    sound = await live.state()
    rebuilt = await live.rebuild(check=True)
    assert (_counts(rebuilt), rebuilt.switched, rebuilt.dead_letters) == ([21, 0, 0, 0], False, 0)
    assert len({each.tenant_id for each in rebuilt.compared}) == 2

    await admin.execute("UPDATE heard SET times = 99 WHERE key = $1", keys[0])
    await admin.execute("DELETE FROM heard WHERE key = $1", keys[1])
    await admin.execute("INSERT INTO heard VALUES ($1, $2, 1)", live.toy.tenant, uuid7())
    damaged = await live.state()
    checked = await live.rebuild(check=True)
    assert (_counts(checked), await live.state()) == ([19, 1, 1, 1], damaged)
    assert _counts(await live.rebuild()) == [19, 1, 1, 1]
    assert await live.state() == sound
    assert not await live.left_behind()
    await asking.send(keys)
    await live.have()
    assert set((await asking.times()).values()) == {1, 4}


async def test_readers_always_see_all_of_it_while_events_arrive(live: Live) -> None:
    keys = [uuid7() for _ in range(40)]
    await live.asking.send(keys)
    done = asyncio.Event()
    seen: list[tuple[int, int]] = []

    async def read() -> None:
        while not done.is_set():
            async with live.toy.tx() as tx:
                rows = (await tx.execute(Heard.__table__.select())).all()
            seen.append((len(rows), sum(row.times for row in rows)))

    async def write() -> None:
        while not done.is_set():
            await live.asking.send(keys)
            await live.asking.comes_to("toy.heard")

    async with live.consuming():
        await live.asking.comes_to("toy.heard")
        others = [asyncio.create_task(read()), asyncio.create_task(write())]
        for _ in range(2):
            rebuilt = await live.rebuild()
            assert (rebuilt.switched, _counts(rebuilt)) == (True, [40, 0, 0, 0])
        done.set()
        await asyncio.gather(*others)
        await live.asking.comes_to("toy.heard")
    assert {rows for rows, _ in seen} == {40}
    assert [total for _, total in seen] == sorted(total for _, total in seen)
    assert await live.asking.times() == live.asking.sent
    assert await live.asking.dead_letters() == []


async def test_another_order_of_partitions_makes_the_same_rows(live: Live) -> None:
    keys = [uuid7() for _ in range(30)]
    for round in range(4):
        await live.asking.send(random.Random(round).sample(keys, len(keys)))
    await live.have()
    owner = await asyncpg.connect(live.owner_url)
    app_url = live.toy.settings.database_url or ""
    query = "SELECT md5(string_agg(h::text, ',' ORDER BY tenant_id, key)) FROM {}.heard h"
    hashes = {await live.toy.admin.fetchval(query.format("public"))}
    try:
        for seed in range(3):
            await shadow_schema.create(owner, live.asking.heard, "toy_app")
            database = Database(app_url, "toy", pool=1, schema=_SCHEMA)
            await _read_shuffled(live, Dispatcher("toy", database, [live.asking.heard]), random.Random(seed))
            await database.close()
            hashes.add(await owner.fetchval(query.format(_SCHEMA)))
            assert await tenants_of(owner, live.asking.heard) == {live.toy.tenant}
        await shadow_schema.drop(owner, live.asking.heard)
    finally:
        await owner.close()
    assert len(hashes) == 1


async def _read_shuffled(live: Live, dispatcher: Dispatcher, dice: random.Random) -> None:
    """The whole topic, partition after partition in some order, in batches of some sizes."""
    async with TopicReader(live.asking.kafka, "shuffled") as history:
        ends = await history.ends([live.asking.topic])
        for at in dice.sample(sorted(ends), len(ends)):
            places = {at: 0}
            while places[at] < ends[at]:
                records, places = await history.read(places, dice.randint(1, 20))
                await dispatcher.deliver(records)


async def test_what_can_be_applied_now_is_and_what_fails_again_stays_a_dead_letter(live: Live) -> None:
    asking, admin = live.asking, live.toy.admin
    cured, stuck, given_up, fine = (uuid7() for _ in range(4))
    cure = uuid7()
    await asking.send([cured], text=f"poison {cure}")
    await asking.send([stuck, given_up], text="poison")
    await asking.send([cured, stuck, given_up, fine])
    await asking.send_unreadable()

    async def dead_letters() -> list[Any]:
        return list(await admin.fetch("SELECT * FROM dead_letter ORDER BY aggregate_id, sequence"))

    async with live.consuming():
        rows = await eventually(dead_letters, lambda rows: len(rows) == 7, what="what cannot be applied")
    place = next(row for row in rows if row["aggregate_id"] == given_up and row["sequence"] == 1)
    at = Place("toy.heard", place["topic"], place["partition"], place["offset"])
    await drop(live.toy.database, at, "never mind", "tester")
    since = {(row["partition"], row["offset"]): row["dead_lettered_at"] for row in rows}
    await asking.send([cure])
    async with live.consuming():
        await eventually(lambda: admin.fetchval("SELECT true FROM heard WHERE key = $1", cure), bool, what="the cure")
    letters = await admin.fetchval("SELECT count(*) FROM outbox WHERE topic = 'toy.dlq'")

    rebuilt = await live.rebuild()
    left = await dead_letters()
    assert [(row["aggregate_id"], row["kind"]) for row in left] == [
        (stuck, "failed"),
        (stuck, "behind"),
        (None, "malformed"),
    ]
    assert rebuilt.dead_letters == 3
    assert all(row["dead_lettered_at"] == since[row["partition"], row["offset"]] for row in left)
    assert await asking.times() == {cured: 2, given_up: 1, fine: 1, cure: 1}
    assert (await asking.marks("toy.heard"))[given_up] == 2
    assert await admin.fetchval("SELECT count(*) FROM dropped") == 1
    assert await admin.fetchval("SELECT count(*) FROM outbox WHERE topic = 'toy.dlq'") == letters


async def test_what_only_the_rebuild_cannot_apply_is_dead_lettered_and_reported(live: Live) -> None:
    key, other = uuid7(), uuid7()
    await live.asking.send([key, other], text="hi")
    await live.have()
    stricter = Projection("toy.heard", tables=[Heard])

    @stricter.on(live.asking.events.asked)
    async def refuse(tx: Tx, event: Any, meta: Any) -> None:
        if event.key == key:
            raise ValueError("not any more")
        tx.add(Heard(tenant_id=tx.tenant_id, key=event.key, times=1))

    await live.rebuild(service=replace(live.service, subscribers=[stricter]))
    assert await live.asking.dead_letters() == [("failed", 1)]
    assert await live.asking.times() == {other: 1}
    assert (await live.asking.marks("toy.heard"))[key] == 0
    letters = await live.toy.admin.fetch("SELECT payload, tenant_id FROM outbox WHERE topic = 'toy.dlq'")
    assert [("not any more" in row["payload"], row["tenant_id"]) for row in letters] == [(True, live.toy.tenant)]


async def test_events_that_were_applied_and_not_committed_are_followed(live: Live) -> None:
    """As when a batch is in the database and its offsets are not in Kafka yet."""
    keys = [uuid7() for _ in range(10)]
    await live.asking.send(keys)
    await live.have()
    await live.asking.send(keys)
    dispatcher = Dispatcher("toy", live.toy.database, [live.asking.heard])
    async with TopicReader(live.asking.kafka, "half") as history:
        places = dict.fromkeys(await history.ends([live.asking.topic]), 0)
        taken: list[Any] = []
        while len(taken) < 20:
            records, places = await history.read(places, 100)
            taken += records
    half = {key for key in keys if key.int % 2}
    await dispatcher.deliver([record for record in taken if UUID(record.key.decode()) in half])
    before = await live.state()
    rebuilt = await live.rebuild()
    assert _counts(rebuilt) == [10, 0, 0, 0]
    assert await live.state() == before
    await live.have()
    assert set((await live.asking.times()).values()) == {2}


async def test_nothing_is_taken_of_a_partition_in_which_the_live_one_has_begun_nothing(live: Live) -> None:
    """As when the first events of a partition come while it is compared: the group has no offset there yet."""
    await live.asking.send([uuid7()])
    await live.have()
    before = await live.state()
    await live.asking.send([uuid7() for _ in range(20)])
    rebuilt = await live.rebuild(check=True)
    assert _counts(rebuilt) == [1, 0, 0, 0]
    assert await live.state() == before
    await live.have()
    assert _counts(await live.rebuild(check=True)) == [21, 0, 0, 0]


async def test_refuses_what_cannot_be_rebuilt(live: Live) -> None:
    for name, reason in (("toy.echo", "a reaction"), ("toy.nobody", "no subscriber"), ("toy.talk", "a saga")):
        with pytest.raises(CannotRebuild, match=f"{name} is {reason}"):
            projection_of(replace(toy_service, routers=[]), name)
    bare = Projection("toy.bare")
    with pytest.raises(CannotRebuild, match="declares no tables"):
        projection_of(replace(live.service, subscribers=[bare]), "toy.bare")
    with pytest.raises(ValueError, match="owns heard"):
        replace(live.service, subscribers=[live.asking.heard, Projection("toy.other", tables=[Heard])])
    await live.asking.send([uuid7()])
    await live.have()
    before = await live.state()
    careless = Projection("toy.heard", tables=[Note.__table__])  # type: ignore[list-item]
    careless.on(live.asking.events.asked)(live.asking.heard.handlers["asking.asked"][1])
    with pytest.raises(CannotRebuild, match="note_line refers to its tables"):
        await live.rebuild(service=replace(live.service, subscribers=[careless]))
    careless.tables = []
    with pytest.raises(CannotRebuild, match="does not declare"):
        await live.rebuild(service=replace(live.service, subscribers=[careless]))
    await live.toy.admin.execute("UPDATE inbox SET sequence = 7 WHERE subscriber = 'toy.heard'")
    with pytest.raises(CannotRebuild, match="does not hold everything"):
        await live.rebuild()
    await live.toy.admin.execute("UPDATE inbox SET sequence = 1 WHERE subscriber = 'toy.heard'")
    assert await live.state() == before


async def test_one_at_a_time_and_killed_in_the_middle_nothing_has_changed(live: Live) -> None:
    keys = [uuid7() for _ in range(200)]
    for _ in range(4):
        await live.asking.send(keys)
    await live.have()
    before = await live.state()
    process = _process(live)
    try:
        built = f"SELECT count(*) FROM {_SCHEMA}.heard"

        async def progress() -> int:
            try:
                return int(await live.toy.admin.fetchval(built))
            except asyncpg.UndefinedTableError:
                return 0

        await eventually(progress, lambda rows: rows > 5, what="the first rebuilt rows")
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(CannotRebuild, match="by another process"):
            await live.rebuild()
    finally:
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
    assert (await live.state(), await live.left_behind()) == (before, True)

    async def again() -> Rebuilt | None:
        try:
            return await live.rebuild()
        except CannotRebuild:
            return None

    # PostgreSQL notices the killed one's connection within a moment.
    rebuilt = await eventually(again, bool, what="a rebuild after one that was killed")
    assert rebuilt is not None
    assert _counts(rebuilt) == [200, 0, 0, 0]
    assert (await live.state(), await live.left_behind()) == (before, False)


async def test_the_shadow_is_as_closed_as_the_live_tables(live: Live) -> None:
    await live.asking.send([uuid7()])
    owner = await asyncpg.connect(live.owner_url)
    await shadow_schema.create(owner, live.asking.heard, "toy_app")
    database = Database(live.toy.settings.database_url or "", "toy", pool=1, schema=_SCHEMA)
    try:
        for tenant, rows in ((live.toy.tenant, 1), (live.toy.other_tenant, 0)):
            async with database.transaction(Context(tenant_id=tenant)) as tx:
                if rows:
                    tx.add(Heard(tenant_id=tenant, key=uuid7(), times=1))
                    await tx.flush()
                assert len((await tx.execute(Heard.__table__.select())).all()) == rows
        assert await live.asking.times() == {}
        described = "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = 'heard'"
        assert await owner.fetchval(described, _SCHEMA)
    finally:
        await database.close()
        await shadow_schema.drop(owner, live.asking.heard)
        await owner.close()


def _process(live: Live) -> "subprocess.Popen[bytes]":
    settings = {"TAILRACE_DATABASE_URL": live.toy.settings.database_url or "", "TAILRACE_KAFKA": live.asking.kafka}
    environment = {**os.environ, **settings, "TAILRACE_CONSUMER_BATCH": "10"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen([sys.executable, "-c", _REBUILD, live.asking.topic, live.owner_url], env=environment)
