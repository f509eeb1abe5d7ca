"""A Kafka that lost all it held is filled again once, also while no process writes canaries that could say so; what does not help is told."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from tailrace.capture import repair, slots
from tailrace.capture.canary import Arrival, Witness, canary_id, write_canary
from tailrace.capture.watch import Trouble, Watch
from tailrace.core.ids import uuid7
from tailrace.core.names import slot_name
from tailrace.core.operator_error import OperatorError
from tailrace_testing import Harness


class Kafka:
    """Its canaries, as a reader of them has them."""

    def __init__(self) -> None:
        self.furthest: dict[UUID, Witness] = {}
        self.arrived: dict[UUID, Arrival] = {}
        self.losses = 0

    async def newest(self) -> Mapping[UUID, Arrival]:
        return self.arrived

    async def close(self) -> None:
        pass

    async def take(self, connection: Any, id: UUID) -> None:
        row = await connection.fetchrow(
            "SELECT aggregate_id, epoch, sequence, recorded_at FROM outbox WHERE id = $1", id
        )
        found = Witness(id, row["epoch"], row["sequence"], row["recorded_at"], "", 0, 0)
        self.furthest[row["aggregate_id"]] = found
        self.arrived[row["aggregate_id"]] = Arrival(found.recorded_at, datetime.now(UTC) - found.recorded_at)


class Connect:
    """One connector, which does what it is told and carries nothing."""

    async def position(self, name: str) -> int | None:
        return None

    async def hold(self, name: str, config: Mapping[str, str]) -> None: ...

    async def forget_offsets(self, name: str) -> None: ...

    async def resume(self, name: str) -> None: ...


class Stage:
    """A watch of one service on the test's database; `published` says from when on each repair published."""

    def __init__(self, toy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
        self.toy, self.kafka, self.published = toy, Kafka(), list[datetime | None]()
        self.service = cast(Any, SimpleNamespace(name=f"toy-{uuid7().hex}", topic="toy.events"))
        settings: Any = SimpleNamespace(
            kafka="", canary_limit=30.0, database=lambda *_: toy.admin_url, capture_secrets=None
        )
        self.watch = Watch([self.service], settings)
        self.watch._canaries = self.kafka  # type: ignore[assignment]

        @asynccontextmanager
        async def connected(*_: Any) -> AsyncIterator[Any]:
            yield toy.admin

        @asynccontextmanager
        async def canaries(_: str) -> AsyncIterator[Any]:
            yield self.kafka

        async def installed(_: Any) -> frozenset[str]:
            return frozenset({self.service.name})

        for name in ("connected", "connected_to_any"):
            monkeypatch.setattr(slots, name, connected)
        monkeypatch.setattr(slots, "installed", installed)
        monkeypatch.setattr(repair, "canary_reader", canaries)
        monkeypatch.setattr(repair, "republish", self._republish)
        monkeypatch.setattr(repair.Repairs, "config", lambda *_: {})

    @property
    def trouble(self) -> Trouble | None:
        return self.watch.conditions[self.service.name].trouble

    async def write(self) -> None:
        """A canary that the slot's reader passes."""
        await write_canary(self.toy.database, self.service.name)
        await self.toy.admin.execute(
            "SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())", slot_name(self.service.name)
        )

    async def look(self, times: int = 1) -> None:
        """Each time until what it began is done, and long enough after the time before."""
        memory, rest = self.watch._memory[self.service.name], Connect()
        for _ in range(times):
            memory.due = 0.0
            await self.watch.look(rest, {self.service.name: "RUNNING"})  # type: ignore[arg-type]
            if memory.work is not None:
                await memory.work

    async def _republish(
        self, connection: Any, _: Any, kafka: str, since: datetime | None, say: Any, then: UUID | None
    ) -> int:
        self.published.append(since)
        if then is not None:
            await self.kafka.take(connection, then)
        return 0


@pytest.fixture
async def stage(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    made = Stage(toy, monkeypatch)
    name = slot_name(made.service.name)
    await slots.create(toy.admin, name)
    try:
        yield made
    finally:
        for each in (name, slots.spare_name(made.service)):
            await slots.drop(toy.admin, each)


async def test_it_is_filled_once_though_no_canary_comes_after(stage: Stage) -> None:
    """The new slot begins behind every canary, as if they had arrived."""
    for _ in range(3):
        await stage.write()
    await stage.look()
    assert stage.trouble is None, "what arrives between the two looks was not missing"
    await stage.look()
    assert stage.published == [None]
    await stage.look(5)
    assert stage.published == [None]
    assert stage.trouble is None


async def test_a_slot_made_before_anything_arrived_is_no_loss(stage: Stage) -> None:
    """By hand, or by a repair that was there before the first connector was."""
    await write_canary(stage.toy.database, stage.service.name)
    await write_canary(stage.toy.database, stage.service.name)
    await slots.drop(stage.toy.admin, slot_name(stage.service.name))
    await stage.look(6)
    assert stage.published == [None]
    assert stage.trouble is None


async def test_a_topic_that_ends_before_where_it_was_read_to_was_lost_whatever_came_since(stage: Stage) -> None:
    """A connector that has its configuration in memory goes on into the empty Kafka, sooner than anybody looks."""
    for _ in range(3):
        await stage.write()
    id = await stage.toy.admin.fetchval(
        "SELECT id FROM outbox WHERE aggregate_id = $1 ORDER BY sequence DESC LIMIT 1", canary_id(stage.service.name)
    )
    await stage.kafka.take(stage.toy.admin, id)
    await stage.look(2)
    assert stage.published == []
    stage.kafka.losses += 1
    await stage.look(4)
    assert stage.published == [None], "all that is retained, not what came after the newest canary"
    assert stage.trouble is None


async def test_repairs_that_do_not_help_are_told_with_what_to_do(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: Any, **__: Any) -> None:
        raise OperatorError("Kafka takes nothing", "see its log")

    monkeypatch.setattr(repair, "republish", refused)
    await slots.drop(stage.toy.admin, slot_name(stage.service.name))
    await stage.look(3)
    assert stage.trouble is not None and "did not help" not in stage.trouble.words
    await stage.look()
    assert (
        f"3 repairs did not help: see the logs of Connect and Kafka, then tailrace capture repair {stage.service.name} --renew"
        in (stage.trouble.words)
    )
