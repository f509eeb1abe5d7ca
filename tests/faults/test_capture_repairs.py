"""A slot that is lost, a connector that is deleted, a way that carries nothing: seen within a minute, mended, nothing missing, effects once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import way
from command import beside
from company import Company, dead_letters, trade
from failpoints import Failpoint

from tailrace.capture.connect_api import Rest
from tailrace.capture.slots import spare_name
from tailrace.core.names import slot_name
from tailrace.runtime.fleet import load_services
from tailrace.stack.embedded import Stack
from tailrace.stack.state import Capture
from tailrace_testing.gateway import Gateway, eventually

(ORDERS,) = load_services(["orders"])
SEEN = 120.0
"""Seconds within which a fault has to be reported."""


@asynccontextmanager
async def trading(fleet: Stack, gateway: Gateway) -> AsyncIterator[Company]:
    """A company that trades while the block runs; at its end everything arrived, and had its effects once."""
    company = await Company.found(gateway)
    busy = asyncio.Event()
    work = asyncio.create_task(trade(company, orders=8, workers=4, halfway=busy))
    await asyncio.wait([asyncio.create_task(busy.wait()), work], return_when=asyncio.FIRST_COMPLETED)
    if not busy.is_set():
        await work
        pytest.fail("the trade ended before it was half way")
    yield company
    await work
    await company.settled(fleet)
    assert await dead_letters(fleet, company) == []
    assert await way.missing(fleet, company.member.tenant_id) == {}


async def capture(fleet: Stack) -> Capture:
    """What the stack's monitor says of the way from orders."""
    return fleet.supervisor.board.state.connectors.get("orders", Capture("UNKNOWN"))


async def reported(fleet: Stack, holds: Callable[[Capture], bool]) -> Capture:
    return await eventually(lambda: capture(fleet), holds, within=SEEN, what="a report")


async def mended(fleet: Stack, after: int) -> Capture:
    """The report once a further repair is done and all is well."""
    return await eventually(
        lambda: capture(fleet), lambda c: c.well and not c.doing and c.repairs > after, what="a repair"
    )


async def test_a_slot_that_is_dropped_is_recreated_and_nothing_is_missing(fleet: Stack, gateway: Gateway) -> None:
    before = (await capture(fleet)).repairs
    async with trading(fleet, gateway), way.admin_of(fleet, ORDERS) as admin:
        await _drop_slot(admin)
        seen = await reported(fleet, lambda c: "slot is gone" in c.trouble)
        assert not seen.well
        done = await mended(fleet, before)
        assert "slot recreated" in done.repaired
        assert await admin.fetchval(
            "SELECT failover FROM pg_replication_slots WHERE slot_name = $1", slot_name("orders")
        )


async def test_a_connector_that_is_deleted_is_put_again(fleet: Stack, gateway: Gateway) -> None:
    before = (await capture(fleet)).repairs
    async with trading(fleet, gateway), Rest(fleet.connect_url) as rest:
        await rest.delete("orders")
        await reported(fleet, lambda c: "connector is gone" in c.trouble)
        assert (await mended(fleet, before)).repaired == "connector put again"


@pytest.mark.embedded("pauses or kills PostgreSQL, Kafka or Connect")
async def test_a_connector_that_runs_and_carries_nothing_is_restarted(fleet: Stack, gateway: Gateway) -> None:
    """Its sender in PostgreSQL stands still, and Connect notices nothing."""
    before = (await capture(fleet)).repairs
    async with trading(fleet, gateway), way.admin_of(fleet, ORDERS) as admin:
        sender = await admin.fetchval(
            "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1", slot_name(ORDERS.name)
        )
        os.kill(sender, signal.SIGSTOP)
        try:
            seen = await reported(fleet, lambda c: "canary" in c.trouble)
            assert seen.state == "RUNNING"
            await reported(fleet, lambda c: c.repairs > before)
        finally:
            os.kill(sender, signal.SIGCONT)
        assert "restarted" in (await mended(fleet, before)).repaired


async def test_a_publication_that_lost_its_table_is_mended_and_what_it_withheld_is_published(
    fleet: Stack, gateway: Gateway
) -> None:
    before = (await capture(fleet)).repairs
    async with trading(fleet, gateway), way.admin_of(fleet, ORDERS) as admin:
        await admin.execute("ALTER PUBLICATION outbox DROP TABLE outbox")
        seen = await reported(fleet, lambda c: "publication" in c.trouble)
        assert seen.state == "RUNNING"
        assert "slot recreated" in (await mended(fleet, before)).repaired


async def test_a_repair_that_is_killed_is_taken_up_again(fleet: Stack, gateway: Gateway) -> None:
    """In the middle of publishing, and when only the connector was left to be let go on."""
    main, spare = slot_name(ORDERS.name), spare_name(ORDERS)
    cut_off = {
        Failpoint("aiokafka:AIOKafkaProducer.send", nth=3): {spare},
        Failpoint("tailrace.capture.connect_api:Rest.resume"): {main, spare},
    }
    async with trading(fleet, gateway), way.admin_of(fleet, ORDERS) as admin:
        for point, left in cut_off.items():
            before = (await capture(fleet)).repairs
            assert await _repair_until(fleet, point) == -signal.SIGKILL
            assert await _slots(admin) == left
            await reported(fleet, lambda c: "unfinished" in c.trouble)
            await mended(fleet, before)
            assert await _slots(admin) == {main}


async def _slots(admin: Any) -> set[str]:
    rows = await admin.fetch("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")
    return {row["slot_name"] for row in rows}


async def _drop_slot(admin: Any) -> None:
    """From under its reader, who would be back in a moment."""
    name = slot_name(ORDERS.name)
    async with asyncio.timeout(300):
        while True:
            await admin.fetch(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1", name
            )
            with suppress(asyncpg.ObjectInUseError):
                await admin.execute("SELECT pg_drop_replication_slot($1)", name)
                return


async def _repair_until(fleet: Stack, point: Failpoint) -> int:
    """`tailrace capture repair orders --renew` as a process of its own, which dies at a point; how it ended."""
    program = (
        f"from failpoints import Failpoint; from tailrace.cli import app; {point!r}.arm();"
        " app(['capture', 'repair', 'orders', '--renew'])"
    )
    environment = {**beside(fleet), "PYTHONPATH": str(Path(way.__file__).parent)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment)
    return await process.wait()
