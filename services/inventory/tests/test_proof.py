"""Levels, movements, reservations and snapshots follow from the events alone, by hash; whatever does not is named."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest
from depot import Depot
from pydantic import BaseModel
from sqlalchemy import select

from contracts.inventory import InventoryEvent
from inventory.models import inventory_event
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db.event_streams import SNAPSHOT_EVERY, Stream, replay
from tailrace.db.tables import snapshot
from tailrace.verify.replay import Proof, prove
from tailrace_testing import Harness

from .test_provisional import allow


async def busy(depot: Depot, seed: int, steps: int) -> None:
    """Whatever people do, some of it refused, enough of it in one place for a snapshot."""
    dice = random.Random(seed)
    await allow(depot, depot.bolt, "BOLT", "fifo", 2)
    await depot.receive("500", 12_345, reason="opening", effective_at="2026-01-02T00:00:00Z")
    orders = []
    for _ in range(steps):
        quantity = str(Decimal(dice.randint(1, 40_000)) / 1000)
        match dice.choice(["receive", "issue", "count", "transfer", "order", "ship", "release", "hold"]):
            case "receive":
                value, at = dice.randint(0, 999), f"2026-01-{dice.randint(1, 28):02d}T00:00:00Z"
                await depot.receive(quantity, value, reason="opening", effective_at=at)
            case "issue":
                quantity = str(Decimal(quantity) * dice.choice([1, 1, 9]))
                await depot.post("issues", quantity=quantity, reason="consumption")
            case "count":
                await depot.post("adjustments", quantity=quantity, reason="count", value=dice.randint(0, 99))
            case "transfer":
                where = {"item_id": str(depot.bolt), "from_warehouse_id": str(depot.north)}
                body = {**where, "to_warehouse_id": str(depot.south), "quantity": quantity}
                answer = await depot.h.client.post("/v1/inventory/transfers", json=body)
                assert answer.status_code in {201, 409}
            case "order":
                orders.append(await depot.order(depot.line(quantity), depot.line("3"), partial=dice.random() < 0.5))
            case "ship" if orders:
                await depot.dispatch(orders.pop(), quantity, "3")
            case "release" if orders:
                await depot.ask_release(orders.pop())
            case "hold":
                held = {"item_id": str(depot.bolt), "warehouse_id": str(depot.north), "quantity": "1"}
                asked = {"lines": [held], "expires_in_seconds": 60}
                await depot.h.client.post("/v1/inventory/reservations", json=asked)
    await depot.h.make_timers_due()
    await depot.h.fire_timers()


async def test_everything_that_lists_read_follows_from_the_events(depot: Depot) -> None:
    await busy(depot, seed=4, steps=90)
    proof = await depot.h.prove()
    assert proof.proven, proof.differences
    counted = {
        name: await depot.h.admin.fetchval(f"SELECT count(*) FROM {name}")
        for name in ("stock_level", "movement", "reservation")
    }
    assert {name: side.rows for name, side in proof.tables.items() if name in counted} == counted
    assert min(counted.values()) > 1
    assert await depot.h.admin.fetchval("SELECT count(*) FROM stream_snapshot") >= 1
    again = await depot.h.prove()
    assert {n: s.live.digest() for n, s in again.tables.items()} == {
        n: s.derived.digest() for n, s in proof.tables.items()
    }


@pytest.mark.parametrize(
    ("tamper", "where", "field"),
    [
        ("UPDATE stock_level SET value = value + 1 WHERE warehouse_id = $1", "stock_level", '"value"'),
        ("UPDATE movement SET effective_at = now() WHERE warehouse_id = $1 AND seq = 1", "movement", '"effective_at"'),
        ("DELETE FROM movement WHERE warehouse_id = $1 AND seq = 1", "movement", None),
        (
            "UPDATE outbox SET payload = replace(payload, '12345', '12346') WHERE $1::uuid IS NOT NULL",
            "outbox",
            "12346",
        ),
        ("UPDATE stock_level SET id = gen_random_uuid() WHERE warehouse_id = $1", "stock_level", None),
        (
            "UPDATE inventory_event SET seq = 99 WHERE seq = 1 AND payload->>'warehouse_id' = $1::uuid::text",
            "inventory_event",
            None,
        ),
    ],
)
async def test_what_does_not_follow_is_named(depot: Depot, tamper: str, where: str, field: str | None) -> None:
    await depot.receive("500", 12_345)
    assert (await depot.h.prove()).proven
    await depot.h.admin.execute(tamper, depot.north)
    proof = await depot.h.prove()
    assert not proof.proven
    assert proof.differences[0].where == where
    assert field is None or field in str(proof.differences[0].live)


async def test_a_snapshot_that_says_something_else_is_found(depot: Depot) -> None:
    for _ in range(SNAPSHOT_EVERY + 2):
        await depot.receive("1", 10)
    assert (await depot.h.prove()).proven
    await depot.h.admin.execute("UPDATE stream_snapshot SET state = jsonb_set(state, '{currency}', '\"USD\"')")
    (difference,) = (await depot.h.prove()).differences
    assert (difference.where, '"currency":"USD"' in str(difference.live)) == ("stream_snapshot", True)


async def test_another_tenants_rows_are_no_part_of_it(depot: Depot) -> None:
    await depot.receive("5", 10)
    depot.h.tenant, depot.h.other_tenant = depot.h.other_tenant, depot.h.tenant
    proof = await depot.h.prove()
    assert (proof.proven, proof.events, sum(side.rows for side in proof.tables.values())) == (True, 0, 0)


class Measured(InventoryEvent):
    """Version 1 said `centimetres`."""

    type: ClassVar[str] = "inventory.test.measured"
    version: ClassVar[int] = 2

    millimetres: int

    @classmethod
    def upcast(cls, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        return {"millimetres": payload["centimetres"] * 10}


class Total(BaseModel):
    millimetres: int = 0


class Gauge(Stream[Total]):
    table = inventory_event
    events: ClassVar[Sequence[type[Event]]] = (Measured,)

    @classmethod
    def initial(cls) -> Total:
        return Total()

    def apply(self, event: Measured) -> None:
        self.state.millimetres += event.millimetres


async def write_in_version_1(h: Harness, id: UUID, events: int) -> None:
    await h.admin.execute(
        "INSERT INTO inventory_event (tenant_id, stream_id, seq, event_id, type, schema_version, payload, effective_at)"
        " SELECT $1, $2, n, gen_random_uuid(), 'inventory.test.measured', 1, jsonb_build_object('centimetres', n), now()"
        " FROM generate_series(1, $3::int) AS n",
        h.tenant,
        id,
        events,
    )


async def test_events_of_an_older_version_replay_with_newer_ones_and_with_a_snapshot(depot: Depot) -> None:
    id, old = uuid7(), 30
    await write_in_version_1(depot.h, id, old)
    for _ in range(3):
        async with depot.h.tx() as tx:
            gauge = await tx.load_stream(Gauge, id)
            for millimetres in range(20):
                gauge.record(Measured(millimetres=millimetres))
    expected = sum(range(1, old + 1)) * 10 + 3 * sum(range(20))
    async with depot.h.tx() as tx:
        kept = (await tx.execute(select(snapshot).where(snapshot.c.stream_id == id))).one()
        assert old < kept.seq < old + 60
        loaded, replayed = await tx.view_stream(Gauge, id), await replay(tx, Gauge, id)
        assert loaded.state == replayed.state == Total(millimetres=expected)
        assert (await replay(tx, Gauge, id, upto=old)).state == Total(millimetres=sum(range(1, old + 1)) * 10)
    states_alone = Proof(kinds=(Gauge,), rows=lambda steps: [(inventory_event, {}) for _ in steps][:0], tables=())
    proof = await prove(depot.h.database, states_alone, depot.h.tenant)
    assert (proof.proven, proof.streams, proof.events) == (True, 1, old + 60)
