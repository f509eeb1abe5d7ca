"""The gauges that alarms go by are there when things are at their worst: no slot, and no database."""

import asyncio

import pytest

from tailrace.kafka import relay
from tailrace.observability.metrics import readings
from tailrace.runtime.gauges import Gauges
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually


def _shown(name: str) -> float | None:
    found = readings.get(name)
    return found[0][1] if found else None


async def _age() -> float:
    return _shown("tailrace.outbox.age") or 0.0


async def test_a_slot_that_is_gone_is_read_by_nobody_and_its_outbox_grows_older(toy: Harness) -> None:
    gauges = Gauges(toy.database, "gone_outbox", None)
    await gauges.read()
    began = await _age()
    assert (_shown("tailrace.database.up"), _shown("tailrace.slot.active"), _shown("tailrace.slot.retained")) == (
        1,
        0,
        0,
    )

    async def older() -> float:
        await gauges.read()
        return await _age()

    await eventually(older, lambda age: age > began)


async def test_how_far_each_relay_is_is_shown_once_it_knows(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "under_way", {"partners.far": relay.Progress(7), "partners.begins": relay.Progress()})
    gauges = Gauges(toy.database, "gone_outbox", None)
    await gauges.read()
    assert readings["tailrace.relay.lag"] == [({"relay": "partners.far"}, 7)]
    relay.under_way["partners.begins"].behind = 0
    await gauges.read()
    assert readings["tailrace.relay.lag"] == [({"relay": "partners.begins"}, 0), ({"relay": "partners.far"}, 7)]


async def test_a_database_that_is_away_is_said_to_be_away(toy: Harness) -> None:
    gauges, stop = Gauges(toy.database, "gone_outbox", None), asyncio.Event()
    await gauges.read()
    async with toy.database_down():
        running = asyncio.create_task(gauges.run(stop))

        async def up() -> float | None:
            return _shown("tailrace.database.up")

        await eventually(up, lambda value: value == 0)
        assert _shown("tailrace.slot.active") == 0
        assert _shown("tailrace.outbox.age") is not None
        # What the database alone knows is not told.
        assert _shown("tailrace.dead_letters") is None
        stop.set()
        await running
