"""A database that was put back behind its topic: seen by its canary, fenced, compared event by event, and gone on with in a new epoch."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from toy import Asked

from tailrace.capture import slots
from tailrace.capture.canary import CanaryReader, Witness, write_canary
from tailrace.capture.history import Found, fault
from tailrace.capture.reconcile import Told
from tailrace.capture.restored import Restorations
from tailrace.core.events import Meta
from tailrace.core.ids import uuid7
from tailrace.core.names import slot_name
from tailrace.db.error_classes import Restored
from tailrace.messaging.inbox import Verdict, judge
from tailrace.messaging.subscriber_offsets import SubscriberOffsets
from tailrace_testing import Harness

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WITNESS = Witness(uuid7(), 1, 40, NOW, "7000", 1, 5_000)
FOUND = Found("7000", 1, 6_000, WITNESS.id, 42, 1, None, None, None)


def test_a_database_that_holds_the_canary_is_the_one_that_kafka_knows() -> None:
    assert fault(WITNESS, FOUND) is None
    assert fault(None, FOUND) is None
    # The service was away for longer than canaries are kept.
    assert fault(WITNESS, replace(FOUND, there=None)) is None


@pytest.mark.parametrize(
    ("found", "acknowledged", "said"),
    [
        (replace(FOUND, there=None, newest=39), None, "newest is 39"),
        (replace(FOUND, there=None, newest=None), None, "newest is 0"),
        (replace(FOUND, there=uuid7()), None, "another stands in its place"),
        (replace(FOUND, system="7001"), None, "from the server 7000, and this is 7001"),
        (replace(FOUND, timeline=2), None, "on timeline 1, and this is timeline 2"),
        (replace(FOUND, written=4_999), None, "up to byte 5,000, and it ends at 4,999"),
        (FOUND, 6_001, "up to byte 6,001, and it ends at 6,000"),
    ],
)
def test_each_sign_of_another_history_is_told(found: Found, acknowledged: int | None, said: str) -> None:
    assert said in (fault(WITNESS, found, acknowledged) or "")


def test_what_was_decided_about_is_not_found_again() -> None:
    assert fault(WITNESS, replace(FOUND, there=None, newest=10, epoch=2)) is None
    assert fault(replace(WITNESS, epoch=2), replace(FOUND, there=None, newest=10, epoch=2)) is not None


def _meta(id: UUID, aggregate: UUID, sequence: int, epoch: int = 1) -> Meta:
    return Meta(id, "t", 1, "t", aggregate, sequence, epoch, aggregate, aggregate, None, None, NOW, 0, 0)


def test_rows_behind_one_that_nobody_heard_are_unheard_too() -> None:
    """The topic has 1 to 4 of an aggregate. The database was put back to 2 and recorded other ones as 3, 4 and 5, which were sent later."""
    aggregate, other = uuid7(), uuid7()
    old, new = [uuid7() for _ in range(4)], [uuid7() for _ in range(3)]
    rows = [(id, aggregate) for id in [*old[:2], *new]]
    told = Told({id for id, _ in rows}, 1)
    for sequence, id in enumerate(old, 1):
        told.note(_meta(id, aggregate, sequence), b"{}")
    for sequence, id in enumerate(new, 3):
        told.note(_meta(id, aggregate, sequence), b"{}")
    told.note(_meta(uuid7(), other, 1), b"{}")
    assert [event.id for event in told.lost[:2]] == old[2:]
    assert [event.aggregate_id for event in told.lost] == [aggregate, aggregate, other]
    # Readers took the last one for the successor of what is lost.
    assert told.unheard(rows) == new
    mark = (1, 5)
    for sequence in (3, 4, 5, 6):
        place = _meta(uuid7(), aggregate, sequence, epoch=2)
        assert judge(mark, place) is Verdict.NEXT
        mark = (2, sequence)


def test_what_an_earlier_epoch_lost_was_decided_about() -> None:
    told = Told(set(), 2)
    told.note(_meta(uuid7(), uuid7(), 1, epoch=1), b"{}")
    told.note(_meta(uuid7(), uuid7(), 1, epoch=2), b"{}")
    assert [event.epoch for event in told.lost] == [2]


async def test_a_note_of_an_earlier_epoch_counts_for_nothing() -> None:
    class Everybody:
        async def have_marks(self, names: Any) -> set[str]:
            return set(names)

        def subscribers(self, topic: str) -> tuple[()]:
            return ()

    first, second = (SubscriberOffsets(cast(Any, Everybody()), epoch) for epoch in (1, 2))
    live = '{"live":["toy.reader"]}'
    assert await first._read_note("t", live) == {"toy.reader": None}
    assert await second._read_note("t", live) == {}
    assert await second._read_note("t", "by a tool") == {}
    assert await second._read_note("t", '{"live":["toy.reader"],"epoch":2}') == {"toy.reader": None}


class _Here(Restorations):
    """On the test's own database, which has no service's name."""

    def __init__(self, toy: Harness) -> None:
        self._admin_url = toy.admin_url

    def _owner(self, service: Any) -> Any:
        return _Connection(self._admin_url)


class _Connection:
    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Any:
        self._connection = await asyncpg.connect(self._url)
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


async def test_fenced_it_is_read_and_takes_no_change_until_a_new_epoch_begins(toy: Harness) -> None:
    made = await toy.client.post("/v1/notes", json={"text": "before"})
    restorations = _Here(toy)
    assert await write_canary(toy.database, "toy") == 1
    for _ in range(2):
        await restorations.fence(toy.service, WITNESS, "a test")
    refused = await toy.client.post("/v1/notes", json={"text": "meanwhile"})
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:tailrace:problem:restored")
    assert refused.headers["retry-after"] == "60"
    assert "until an operator has decided" in refused.json()["detail"]
    assert (await toy.client.get(f"/v1/notes/{made.json()['id']}")).status_code == 200
    with pytest.raises(Restored):
        await toy.deliver(Asked(key=uuid7(), text="somebody else's"), aggregate_id=uuid7())
    assert await toy.admin.fetchval("SELECT count(*) FROM dead_letter") == 0
    with pytest.raises(Restored):
        await write_canary(toy.database, "toy")
    assert [tuple(row) for row in await toy.admin.fetch("SELECT epoch, reason FROM database_history")] == [
        (2, "a test")
    ]
    await restorations.open(toy.service, "a test decided", 3)
    await toy.admin.execute("ALTER TABLE outbox ALTER COLUMN epoch SET DEFAULT 2")
    assert await write_canary(toy.database, "toy") == 2
    assert (await toy.client.post("/v1/notes", json={"text": "after"})).status_code == 201
    said = await toy.admin.fetchrow("SELECT lost, accepted_because FROM database_history")
    assert tuple(said) == (3, "a test decided")


async def test_a_kafka_that_acknowledged_canaries_and_holds_none_was_lost(toy: Harness) -> None:
    """One that was passed may be under way between a look at Kafka and one here; the first of two has arrived."""
    service: Any = SimpleNamespace(name=f"toy-{uuid7().hex}")
    slot = slot_name(service.name)
    await slots.create(toy.admin, slot)
    try:
        found = []
        for _ in range(3):
            found.append(await slots.forgotten(toy.admin, service, None))
            await write_canary(toy.database, service.name)
            await toy.admin.execute("SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())", slot)
        assert found == [None, None, "Kafka has lost what it had of it"]
        assert await slots.forgotten(toy.admin, service, WITNESS) is None
    finally:
        await slots.drop(toy.admin, slot)


class _Topic:
    """The canaries' topic, as a client of Kafka has it."""

    def __init__(self, *witnesses: Witness) -> None:
        self.records, self.at = list(witnesses), 0

    def assignment(self) -> set[int]:
        return {0}

    async def end_offsets(self, places: Any) -> dict[int, int]:
        return {0: len(self.records)}

    async def position(self, place: int) -> int:
        return self.at

    async def seek_to_beginning(self) -> None:
        self.at = 0

    async def getmany(self, *places: int, timeout_ms: int) -> dict[int, list[Witness]]:
        found, self.at = self.records[self.at :], len(self.records)
        return {0: found}


class _Reader(CanaryReader):
    def __init__(self, topic: _Topic) -> None:
        super().__init__("")
        self.topic = topic

    async def _connected(self) -> Any:
        return self.topic

    def _note(self, record: Any) -> None:
        self._furthest[record.id] = record


async def test_canaries_of_a_kafka_that_is_gone_are_forgotten() -> None:
    other = replace(WITNESS, id=uuid7())
    reader = _Reader(_Topic(WITNESS, other))
    await reader.newest()
    assert set(reader.furthest) == {WITNESS.id, other.id}
    lost = _Topic(other)
    lost.at = reader.topic.at
    reader.topic = lost
    await reader.newest()
    assert set(reader.furthest) == {other.id}
