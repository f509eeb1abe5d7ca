"""`make drill DRILL=restored`: a database is put back behind Kafka, once while everything runs and once with the whole server.

Looked at are how soon the doctor is red, that changes are refused meanwhile, what is lost by name, and, after an operator accepted it, that an
independent reader finds outbox and topic equal but for what is lost, and that trade goes on exactly.
"""

import argparse
import asyncio
import json
import shutil
import time
from pathlib import Path

import asyncpg
import way
from command import tailrace
from company import Company, dead_letters

from drills.stage import Figures, differences, doctor_is_red, folder_of_its_own, stack_in
from tailrace.core.names import slot_name
from tailrace.runtime.fleet import load_services
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

(ORDERS,) = load_services(["orders"])
RED_WITHIN = 60.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", choices=["one", "server"], help="one of the two alone")
    only, figures = options.parse_args().only, Figures()
    with folder_of_its_own("restored") as folder:
        if only != "server":
            one_database(folder / "one", figures)
        if only != "one":
            whole_server(folder / "server", figures)
    figures.say("It came right.")


def one_database(folder: Path, figures: Figures) -> None:
    """The database of orders alone, while everything runs."""
    folder.mkdir(mode=0o755)
    stack = stack_in(folder)
    with stack:
        figures.say("a fleet runs; one database is put back")
        asyncio.run(_one_database(stack, figures))
    stack.discard()


async def _one_database(stack: Stack, figures: Figures) -> None:
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        company = await Company.found(gateway)
        kept = await company.order(2)
        await eventually(lambda: company.shipments(kept["id"]), bool, what="its shipment")
        await _replace(stack, "orders", keep="orders_kept")
        await company.ship(kept["id"])
        gone = [await company.order(3) for _ in range(3)]
        for order in gone:
            await company.ship(order["id"])
        await company.settled(stack)
        await _replace(stack, "orders", take="orders_kept")
        took = await doctor_is_red(stack, lambda said: "orders: its database was restored" in said, RED_WITHIN)
        figures.say(f"the doctor was red after {took:.1f} s")
        refused = await company.member.send("POST", "/v1/orders", json=company.body(1))
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:tailrace:problem:restored"), refused.text
        assert (await company.read(kept["id"]))["id"] == kept["id"], "reads go on"
        await _accept(stack, figures)
        for order in gone:
            answer = await company.member.send("GET", f"/v1/orders/{order['id']}")
            assert answer.status_code == 404
            del company.accepted[order["id"]]
        # It was shipped after the copy was made: history says so once more.
        await eventually(
            lambda: company.read(kept["id"]), lambda order: order["shipment"] == "full", what="what orders had read"
        )
        figures.say("the order that was shipped meanwhile is shipped again, from history")
        more = await company.order(4)
        await company.ship(more["id"])
        await eventually(
            lambda: company.read(more["id"]), lambda order: order["shipment"] == "full", what="a new order shipped"
        )
        behind = await dead_letters(stack, company)
        figures.say(f"a new order is shipped; {len(behind)} dead letters are about what is lost")
        for subscriber, kind, reason in behind[:5]:
            figures.say(f"    {subscriber} {kind}: {reason[:100]}")


def whole_server(folder: Path, figures: Figures) -> None:
    """All databases, by a copy of the server's files that was made while it stood still: the same identifier, the same timeline, old slots."""
    folder.mkdir(mode=0o755)
    stack = stack_in(folder)
    stack.start()
    asyncio.run(_trade(stack, 3))
    stack.stop()
    cluster = (folder / "data" / "postgres").resolve()
    copy = cluster.with_name("postgres-copy")
    shutil.copytree(cluster, copy, symlinks=True)
    _give(copy, cluster)
    stack.start()
    asyncio.run(_trade(stack, 3))
    stack.stop()
    shutil.rmtree(cluster)
    copy.rename(cluster)
    began = time.monotonic()
    stack.start()
    figures.say(f"the whole server was put back; the stack came up in {time.monotonic() - began:.1f} s")
    try:
        asyncio.run(_put_back(stack, figures))
    finally:
        stack.stop()
    stack.discard()


async def _put_back(stack: Stack, figures: Figures) -> None:
    took = await doctor_is_red(stack, lambda said: "restored behind Kafka" in said, RED_WITHIN)
    figures.say(f"the doctor was red {took:.1f} s later")
    await decided(stack, figures)


async def decided(stack: Stack, figures: Figures) -> None:
    """An operator looks at what all databases lost, and accepts it; a company trades on what is left."""

    async def shown() -> dict[str, dict[str, int | None]]:
        _, said = await tailrace(stack, "restored", "show", "--json")
        found: dict[str, dict[str, int | None]] = json.loads(said)
        return found

    # One after the other is found and compared; those that lost nothing go on by themselves.
    before, undecided = None, await shown()
    async with asyncio.timeout(300):
        while undecided != before or not all(each["lost"] for each in undecided.values()):
            await asyncio.sleep(10)
            before, undecided = undecided, await shown()
    assert set(undecided) >= {"orders", "inventory", "shipping", "accounting"}, undecided
    figures.say(
        f"{len(undecided)} services take no changes, {sum(e['lost'] or 0 for e in undecided.values())} events are lost"
    )
    await _accept(stack, figures)
    await _trade(stack, 3)
    figures.say("a new company traded, and every figure of it is exact")


async def _trade(stack: Stack, orders: int) -> None:
    """A company of its own orders and ships, and every figure of it is exact."""
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        company = await Company.found(gateway)
        for number in range(orders):
            order = await company.order(1 + number)
            await company.ship(order["id"])
        await company.settled(stack)


async def _accept(stack: Stack, figures: Figures) -> None:
    """An operator accepts it; then outbox and topic are equal, but for what is lost by name."""
    code, said = await tailrace(stack, "restored", "lost", "orders")
    assert code == 0, said
    began = time.monotonic()
    code, said = await tailrace(stack, "restored", "accept", "--because", "a drill")
    assert code == 0, said
    figures.say(f"accepted after {time.monotonic() - began:.1f} s")
    lost = _lost(stack)
    for service in way.PUBLISHING:
        unheard, only_there = await differences(stack, service)
        assert unheard == set(), f"{service.name}: {len(unheard)} rows that nobody heard"
        assert only_there <= lost, (
            f"{service.name}: {len(only_there - lost)} events that are in no database and on no list"
        )
    figures.say(
        f"an independent reader finds outboxes and topics equal, but for the {len(lost)} events that were listed"
    )

    async def well() -> tuple[int, str]:
        return await tailrace(stack, "capture", "status")

    await eventually(well, lambda found: found[0] == 0, what="every connector well")
    figures.say("every connector is well")


def _lost(stack: Stack) -> set[str]:
    files = (stack.plan.layout.data / "restored").glob("*.jsonl")
    return {json.loads(line)["id"] for file in files for line in file.read_text().splitlines()}


async def _replace(stack: Stack, name: str, *, keep: str | None = None, take: str | None = None) -> None:
    """Copy a database aside, or put that copy in its place, as a restore of one database does: without its slot, behind everybody's back."""
    admin = await asyncpg.connect(stack.postgres_url)
    try:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        if take is not None:
            await _without_slot(admin, name)
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            await admin.execute(f'ALTER DATABASE "{take}" RENAME TO "{name}"')
            return
        # Each waits until that session is gone.
        await admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1", name)
        owner = f'OWNER "{name}_owner"'
        await admin.execute(f'CREATE DATABASE "{keep}" TEMPLATE "{name}" STRATEGY FILE_COPY {owner}')
        await admin.execute(f'REVOKE ALL ON DATABASE "{keep}" FROM PUBLIC')
        for role in ("app", "capture"):
            await admin.execute(f'GRANT CONNECT ON DATABASE "{keep}" TO "{name}_{role}"')
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    finally:
        await admin.close()


async def _without_slot(admin: asyncpg.Connection, name: str) -> None:
    slot = slot_name(name)
    while await admin.fetchval("SELECT true FROM pg_replication_slots WHERE slot_name = $1", slot):
        await admin.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1", slot
        )
        try:
            await admin.execute("SELECT pg_drop_replication_slot($1)", slot)
        except asyncpg.ObjectInUseError:
            await asyncio.sleep(0.05)


def _give(copy: Path, like: Path) -> None:
    """To the account that the server runs as."""
    owner = like.stat()
    for path in (copy, *copy.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)


if __name__ == "__main__":
    main()
