"""`make drill DRILL=backup`: the machine is lost while a company trades, and the platform comes back from its backups on another.

Printed are the RPO, by the newest event that came back, and the RTO, until the platform answers. Then an independent reader has to find every outbox
equal to its topic, what was there before the backup has to be there, and a new company has to trade exactly.
"""

import asyncio
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import way
from command import tailrace
from company import Company

from drills.stage import Figures, differences, folder_of_its_own, stack_in
from tailrace.stack.archive import VARIABLE, Archive
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import edge_names, service_names
from tailrace.stack.restoring import restore
from tailrace_testing.gateway import Gateway

RPO, RTO = 60.0, 600.0


def main() -> None:
    figures = Figures()
    with folder_of_its_own("backup") as folder:
        _drill(folder, figures)
    figures.say("It came right.")


def _drill(folder: Path, figures: Figures) -> None:
    os.environ[VARIABLE] = str(folder / "backups")
    stack = stack_in(folder)
    stack.start()
    orders, lost_at = asyncio.run(_before(stack, folder, figures))
    # What a machine that is lost leaves: the backups as they are at that moment.
    saved = folder / "saved"
    shutil.copytree(folder / "backups", saved)
    stack.discard()
    del os.environ[VARIABLE]
    began = time.monotonic()
    layout = Layout(folder / "again")
    ports = Ports.free(service_names(), edge_names(), layout.known_places())
    done = restore(Archive.named(saved), layout, ports, None, figures.say)
    again = Stack(layout.data, ports=ports)
    again.start()
    rto = time.monotonic() - began
    assert done.moment is not None
    rpo = (lost_at - done.moment).total_seconds()
    figures.say(f"RPO {rpo:.1f} s, RTO {rto:.1f} s, {done.records:,} records of topics from their copies")
    try:
        asyncio.run(_after(again, orders, figures))
    finally:
        again.stop()
    again.discard()
    assert rpo <= RPO, f"{rpo:.0f} s are lost"
    assert rto <= RTO, f"it took {rto:.0f} s"


async def _before(stack: Stack, folder: Path, figures: Figures) -> tuple[set[str], datetime]:
    """Ids of what orders recorded before the backup, and when the machine is lost."""
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        company = await Company.found(gateway)
        for number in range(3):
            await company.ship((await company.order(1 + number))["id"])
        await company.settled(stack)
        before = await _recorded(stack)
        code, said = await tailrace(stack, "backup", **{VARIABLE: str(folder / "backups")})
        assert code == 0, said
        figures.say(said.strip())
        for number in range(3):
            await company.ship((await company.order(4 + number))["id"])
        await company.settled(stack)
    figures.say(f"the machine is lost, {len(await _recorded(stack)) - len(before)} events of orders after the backup")
    return before, datetime.now(UTC)


async def _after(stack: Stack, before: set[str], figures: Figures) -> None:
    there = await _recorded(stack)
    assert before <= there, f"{len(before - there)} events from before the backup are missing"
    figures.say(f"{len(there - before)} events of orders from after the backup came back, by the log")
    for service in way.PUBLISHING:
        assert await differences(stack, service) == (set(), set()), service.name
    figures.say("an independent reader finds outboxes and topics equal")
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        company = await Company.found(gateway)
        await company.ship((await company.order(2))["id"])
        await company.settled(stack)
    figures.say("a new company traded, and every figure of it is exact")


async def _recorded(stack: Stack) -> set[str]:
    (orders,) = [service for service in way.PUBLISHING if service.name == "orders"]
    async with way.admin_of(stack, orders) as connection:
        return {row["id"] for row in await connection.fetch("SELECT id::text FROM outbox WHERE topic = 'order.events'")}


if __name__ == "__main__":
    main()
