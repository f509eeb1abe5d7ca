"""Reads the topics of a projection into its shadow: first as far as the live consumers have come, then exactly what live has had.

The reading has no group and goes through the same dispatcher as everything live: batches, marks, dead letters, redrives.
"""

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord, TopicPartition

from tailrace.core.events import Meta
from tailrace.core.retries.backoff import Backoff
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient
from tailrace.kafka.cloudevents import Malformed, read_meta, tenant_of
from tailrace.kafka.record_lookup import reading
from tailrace.kafka.topic_reader import TopicReader, committed
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.inbox import START, Mark
from tailrace.messaging.subscribers import Projection
from tailrace.rebuild import shadow_schema
from tailrace.redrive.redriver import Place, Redriver, drop
from tailrace.service import Service
from tailrace.settings import Settings

Read = tuple[list[ConsumerRecord], dict[TopicPartition, int]]
Tell = Callable[[int, int], None]
"""Called with the events read so far, and how many there are to read."""
_NEAR = 200
"""So few events are left to the moment in which the consumers stand still."""
_MANY = 4
"""How many times as many events as live a rebuild takes at once: nobody waits for one of them, and each batch costs the same statements."""
_OBJECTS = 50_000
_TIMEOUT = 20.0
"""Seconds for which they stand still at most while the last events are read."""
_TRIES, _FIRST_PAUSE, _LONGEST_PAUSE = 10, 0.2, 5.0
_UNDECLARED = "UndefinedTableError"


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Python's collector looks through all young objects with every 700 that stay. A batch makes ten thousands, and none that wait for it."""
    known = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *known[1:])
    try:
        yield
    finally:
        gc.set_threshold(*known)


class CannotRebuild(Exception):
    """Why not, and what to do about it. The live read model is as it was."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


class Builder:
    """Reads the topics into the shadow."""

    def __init__(
        self,
        service: Service,
        projection: Projection,
        aside: Database,
        history: TopicReader,
        settings: Settings,
        tell: Tell,
    ) -> None:
        self._service = service
        self._projection = projection
        self._aside = aside
        self._history = history
        self._settings = settings
        self._tell = tell
        self._dispatcher = Dispatcher(service.name, aside, [projection])
        self._at: dict[TopicPartition, int] = {}
        self.tenants: set[UUID] = set()
        self.events = 0

    async def read_all(self) -> None:
        """Everything up to where the live consumers are, or nearly; then what could not be applied is tried again."""
        first = await self._history.beginnings(self._projection.topics)
        for at, offset in first.items():
            if offset:
                raise CannotRebuild(
                    f"{at.topic} has lost its beginning (partition {at.partition} starts at {offset})",
                    "a rebuild would lose what those events told",
                )
        self._at = first
        left: int | None = None
        while True:
            goal = await self._where_live_is()
            due = sum(goal.values()) - sum(self._at.values())
            if left is not None and (due <= _NEAR or due >= left):
                break
            left = due
            await self._read_up_to(goal)
        await self._settle()

    async def follow(self, owner: "asyncpg.Connection[Any]") -> None:
        """While the live consumers are held: take every event that they have had, and no other."""
        owed = await _marks_ahead(owner, self._projection)
        places = await _set_aside(owner, self._projection)
        unseen = {place for place in places if place[2] >= self._at[TopicPartition(place[0], place[1])]}
        if not owed and not unseen:
            return
        ends = await self._history.ends(self._projection.topics)
        deadline = monotonic() + _TIMEOUT
        while owed or unseen:
            if monotonic() > deadline:
                raise CannotRebuild(
                    f"the last {len(owed)} aggregates could not be followed within {_TIMEOUT:.0f} s",
                    "nothing was changed; try again when there is less to do",
                )
            if all(self._at[at] >= end for at, end in ends.items()):
                raise CannotRebuild(
                    f"Kafka does not hold everything that was applied: {len(owed) + len(unseen)} aggregates are ahead of it",
                    "was a database or a topic restored on its own? Nothing was changed",
                )
            records, self._at = await self._history.read(self._at, self._settings.consumer_batch)
            applied = await _applied(owner, self._projection, records)
            due = [record for record in records if _had(record, applied, places)]
            await self._deliver(due)
            for record in due:
                unseen.discard((record.topic, record.partition, record.offset))
            owed = {one: mark for one, mark in owed.items() if one not in _reached(due, owed)}
        await self._settle()

    async def dead_letters(self) -> int:
        """How many events could not be applied. Raises CannotRebuild when that is because a table was not declared."""
        async with self._aside.engine.connect() as connection:
            reasons = (await connection.exec_driver_sql("SELECT reason FROM dead_letter")).scalars().all()
        if undeclared := next((reason for reason in reasons if _UNDECLARED in reason), None):
            raise CannotRebuild(
                f"{self._projection.name} uses a table that it does not declare: {undeclared[:300]}",
                "name it in the projection's `tables`",
            )
        return len(reasons)

    async def _where_live_is(self) -> dict[TopicPartition, int]:
        """The offsets that the service's group committed; the ends where the group is not known to Kafka, as when nobody read for a week.

        Where it has no offset in a partition, it began nothing there; what it applied and did not commit is followed at the end.
        """
        ends = await self._history.ends(self._projection.topics)
        live = await committed(self._settings.kafka, self._service.name)
        begun = {at: live.get(at, self._at[at]) for at in ends} if live else ends
        return {at: max(min(begun[at], end), self._at[at]) for at, end in ends.items()}

    async def _read_up_to(self, goal: Mapping[TopicPartition, int]) -> None:
        """While the database takes some records, Kafka hands out the next ones."""
        total = sum(goal.values())
        coming = self._coming(self._at, goal)
        try:
            while coming is not None:
                records, positions = await coming
                there = self._at | {at: min(offset, goal[at]) for at, offset in positions.items()}
                coming = self._coming(there, goal)
                await self._deliver(
                    [each for each in records if each.offset < goal[TopicPartition(each.topic, each.partition)]]
                )
                self._at = there
                self._tell(sum(there.values()), total)
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.wait([coming])

    def _coming(
        self, at: Mapping[TopicPartition, int], goal: Mapping[TopicPartition, int]
    ) -> asyncio.Task[Read] | None:
        """What there is from here on; None when that is nothing."""
        left = {place: offset for place, offset in at.items() if offset < goal[place]}
        if not left:
            return None
        return asyncio.create_task(self._history.read(left, self._settings.consumer_batch * _MANY))

    async def _deliver(self, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            if (tenant := tenant_of(record)) is not None:
                self.tenants.add(tenant)
        if records:
            await self._patiently(records)
            self.events += len(records)

    async def _patiently(self, records: Sequence[ConsumerRecord]) -> None:
        """Deliver, and wait out what passes for half a minute or so."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        for _ in range(_TRIES):
            try:
                await self._dispatcher.deliver(records)
            except Exception as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(backoff.next())
            else:
                return
        await self._dispatcher.deliver(records)

    async def _settle(self) -> None:
        """What had to wait for an event of another topic is applied now; what was given up for good is passed over here too."""
        async with reading(self._settings.kafka) as read_record:
            redriver = Redriver(self._service.name, self._service.subscribers, self._aside, read_record)
            progress = 1
            while progress:
                progress = 0
                for head, given_up in await self._heads():
                    if given_up:
                        await drop(self._aside, head, "given up before", "rebuild")
                        progress += 1
                    else:
                        progress += await self._redrive(redriver, head)

    async def _redrive(self, redriver: Redriver, head: Place) -> int:
        query = 'SELECT aggregate_id FROM dead_letter WHERE topic = $1 AND partition = $2 AND "offset" = $3'
        async with self._aside.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            aggregate_id = await raw.driver_connection.fetchval(query, head.topic, head.partition, head.offset)  # type: ignore[union-attr]
        return (await redriver.redrive((head.subscriber, aggregate_id))).progress if aggregate_id else 0

    async def _heads(self) -> list[tuple[Place, bool]]:
        """The first dead letter of each aggregate, and whether it was dropped from the live one."""
        query = """SELECT DISTINCT ON (aggregate_id) p.subscriber, p.topic, p.partition, p.offset,
            EXISTS (SELECT FROM dropped d WHERE (d.topic, d.partition, d.offset) = (p.topic, p.partition, p.offset)) AS gone
            FROM dead_letter p WHERE aggregate_id IS NOT NULL
            ORDER BY aggregate_id, p.epoch, p.sequence, p.topic, p.partition, p.offset"""
        async with self._aside.engine.connect() as connection:
            rows = (await connection.exec_driver_sql(query)).all()
        return [(Place(row.subscriber, row.topic, row.partition, row.offset), row.gone) for row in rows]


async def _marks_ahead(owner: "asyncpg.Connection[Any]", projection: Projection) -> dict[UUID, Mark]:
    """The live marks that the rebuilt one has not come to, neither by an effect nor by a dead letter."""
    schema = shadow_schema.schema_of(projection)
    rows = await owner.fetch(
        f"""SELECT l.aggregate_id, l.epoch, l.sequence FROM public.inbox l
            LEFT JOIN "{schema}".inbox s ON s.subscriber = l.subscriber AND s.aggregate_id = l.aggregate_id
            WHERE l.subscriber = $1 AND (l.epoch, l.sequence) > (coalesce(s.epoch, 0), coalesce(s.sequence, 0))
            AND NOT EXISTS (SELECT FROM "{schema}".dead_letter p WHERE p.subscriber = l.subscriber
                AND p.aggregate_id = l.aggregate_id AND (p.epoch, p.sequence) >= (l.epoch, l.sequence))""",
        projection.name,
    )
    return {row["aggregate_id"]: (row["epoch"], row["sequence"]) for row in rows}


async def _set_aside(owner: "asyncpg.Connection[Any]", projection: Projection) -> set[tuple[str, int, int]]:
    """Where the live subscriber's dead letters stand, and unreadable records that were dropped: they move no mark."""
    rows = await owner.fetch(
        """SELECT topic, partition, "offset" FROM public.dead_letter WHERE subscriber = $1 AND topic = ANY($2)""",
        projection.name,
        list(projection.topics),
    )
    return {(row["topic"], row["partition"], row["offset"]) for row in rows}


async def _applied(
    owner: "asyncpg.Connection[Any]", projection: Projection, records: Iterable[ConsumerRecord]
) -> dict[UUID, Mark]:
    aggregates = list({meta.aggregate_id for record in records if (meta := _readable(record)) is not None})
    rows = await owner.fetch(
        "SELECT aggregate_id, epoch, sequence FROM public.inbox WHERE subscriber = $1 AND aggregate_id = ANY($2)",
        projection.name,
        aggregates,
    )
    return {row["aggregate_id"]: (row["epoch"], row["sequence"]) for row in rows}


def _had(record: ConsumerRecord, applied: Mapping[UUID, Mark], places: set[tuple[str, int, int]]) -> bool:
    if (record.topic, record.partition, record.offset) in places:
        return True
    meta = _readable(record)
    return meta is not None and (meta.epoch, meta.sequence) <= applied.get(meta.aggregate_id, START)


def _reached(records: Iterable[ConsumerRecord], owed: Mapping[UUID, Mark]) -> set[UUID]:
    metas = [meta for record in records if (meta := _readable(record)) is not None]
    return {m.aggregate_id for m in metas if (m.epoch, m.sequence) >= owed.get(m.aggregate_id, (0, 0))}


def _readable(record: ConsumerRecord) -> Meta | None:
    try:
        return read_meta(record)
    except Malformed:
        return None
