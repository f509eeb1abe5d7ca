"""`make drill DRILL=machine`: a machine is lost under traffic, and restored from its backups on nothing but them.

A backup is taken while a company trades; trade goes on; every process is killed at once and the data folder is gone. `tailrace restore` and
`tailrace up` make another. Looked at are how much is lost (RPO), how long until the platform is well (RTO), that every order that was answered
before the moment is there, that an independent reader finds outboxes and topics equal, and that trade goes on exactly.
"""

import argparse
import asyncio
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
import way
from command import Command
from company import Company, dead_letters

from drills.stage import LIMITS, Figures, differences, folder_of_its_own
from tailrace.service import Service
from tailrace.stack.credentials import Credentials
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import Plan, edge_names, service_names
from tailrace.stack.state import State
from tailrace_testing.gateway import Gateway, eventually

RPO, RTO = 60.0, 600.0
"""Seconds that it aims at."""
WORKERS = 3


@dataclass
class Machine:
    """One data folder, and `tailrace` beside it, by the command line alone."""

    folder: Path
    ports: Ports = field(default_factory=lambda: Ports.free(service_names(), edge_names()))

    @property
    def layout(self) -> Layout:
        return Layout(self.folder / "data")

    @property
    def plan(self) -> Plan:
        return Plan(self.layout, self.ports)

    async def tailrace(self, *arguments: object) -> str:
        """Raises AssertionError with what it said, unless it ended well."""
        code, said = await self.asked(*arguments)
        assert code == 0, f"tailrace {arguments[0]}: {said}"
        return said

    async def asked(self, *arguments: object) -> tuple[int, str]:
        return await Command(arguments, self._environment).ended()

    @property
    def _environment(self) -> dict[str, str]:
        own = {
            "TAILRACE_DATA": str(self.layout.data),
            "TAILRACE_PORT_BASE": str(self.ports.base),
            "TAILRACE_GATEWAY_PORT": str(self.ports.gateway),
            "TAILRACE_BACKUPS": str(self.folder / "backups"),
        }
        return {name: each for name, each in os.environ.items() if not name.startswith("TAILRACE_")} | LIMITS | own

    def gateway(self) -> Gateway:
        return Gateway(self.plan.gateway_url, Credentials.load_or_create(self.layout.credentials).operator)

    def lose(self) -> None:
        """Every process of it at once, without a word, and then what it had on its disk."""
        state = State.load(self.layout.state)
        assert state is not None and state.supervisor is not None
        supervisor = psutil.Process(state.supervisor.pid)
        all_of_it = [supervisor, *supervisor.children(recursive=True)]
        for process in all_of_it:
            with suppress(psutil.NoSuchProcess):  # it went with its parent
                process.kill()
        psutil.wait_procs(all_of_it, timeout=30)
        cluster = (self.layout.data / "postgres").resolve()
        if not cluster.is_relative_to(self.layout.data):
            shutil.rmtree(cluster)
        self.layout.data.rename(self.folder / "lost")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=75.0, help="of trade between the backup and the loss")
    options.add_argument("--report", type=Path, help="a folder for machine.json")
    chosen, figures = options.parse_args(), Figures()
    with folder_of_its_own("machine") as folder:
        machine = Machine(folder)
        found = asyncio.run(_drill(machine, chosen.seconds, figures))
    if chosen.report is not None:
        (chosen.report / "machine.json").write_text(json.dumps(found, indent=1) + "\n")
    figures.say("It came right.")


async def _drill(machine: Machine, seconds: float, figures: Figures) -> dict[str, float]:
    await machine.tailrace("up")
    figures.say("a fleet runs")
    try:
        async with machine.gateway() as gateway:
            company = await Company.found(gateway)
            answered, stop = dict[str, datetime](), asyncio.Event()
            workers = [asyncio.create_task(_trade(company, answered, stop)) for _ in range(WORKERS)]
            await asyncio.sleep(20)
            said = await machine.tailrace("backup")
            figures.say(f"after {len(answered)} orders: {said.splitlines()[-2]}")
            await machine.tailrace("backup", "verify")
            await asyncio.sleep(seconds)
            lost_at = datetime.now(UTC)
            machine.lose()
            stop.set()
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        figures.say(f"{len(answered)} orders were answered; the machine is lost")
        began = time.monotonic()
        (newest,) = json.loads(await machine.tailrace("backup", "list", "--json"))
        moment = datetime.fromisoformat(newest["to"])
        rpo = (lost_at - moment).total_seconds()
        said = await machine.tailrace("restore", "--latest")
        restored = time.monotonic() - began
        figures.say(said.splitlines()[-2])
        await machine.tailrace("up")
        figures.say(f"the fleet is up {time.monotonic() - began:.1f} s after the loss")
        async with machine.gateway() as gateway:
            company.member = await gateway.log_in(company.member.slug, company.member.email)
            order = await company.order(1)
            answers = time.monotonic() - began
            figures.say(f"an order is accepted {answers:.1f} s after the loss")
            await eventually(
                lambda: machine.asked("doctor"), lambda said: said[0] == 0, what="a doctor that is content"
            )
            rto = time.monotonic() - began
            figures.say(f"the doctor is content {rto:.1f} s after the loss")
            kept = {each for each, at in answered.items() if at <= moment}
            there = {each["id"]: each for each in await company.member.every("/v1/orders")}
            assert kept <= there.keys(), f"{len(kept - there.keys())} orders answered before the moment are gone"
            late = len(answered.keys() - there.keys())
            figures.say(f"all {len(kept)} orders answered before the moment are there, and {late} of after it are not")
        await machine.tailrace("down")
    except BaseException:
        await machine.asked("down")
        raise
    stack = Stack(machine.layout.data, environment=LIMITS)
    with stack:
        await _exact(stack, company, {*there, order["id"]}, figures)
    stack.discard()
    figures.say(
        f"RPO {rpo:.1f} s (aim {RPO:.0f}), RTO {rto:.1f} s (aim {RTO:.0f}), of which the restore {restored:.1f} s"
    )
    assert rpo <= RPO and rto <= RTO
    return {"rpo": rpo, "rto": rto, "restore": restored, "orders": len(answered), "orders_lost": late}


async def _trade(company: Company, answered: dict[str, datetime], stop: asyncio.Event) -> None:
    """Order and ship until the machine is gone; when an order was answered is noted."""
    while not stop.is_set():
        order = await company.order(1 + len(answered) % 7)
        answered[order["id"]] = datetime.now(UTC)
        await company.ship(order["id"])


async def _exact(stack: Stack, company: Company, orders: set[str], figures: Figures) -> None:
    """Outboxes and topics are equal, and when what was under way is done, every figure is exact."""
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        company.member = await gateway.log_in(company.member.slug, company.member.email)
        await _equal(stack, figures)
        company.accepted = {}
        for each in orders:
            order = await company.read(each)
            company.accepted[each] = int(float(order["lines"][0]["quantity"]))
            if order["shipment"] != "full":
                await _ship_unless_shipped(company, each)
        await company.settled(stack)
        figures.say(f"{len(orders)} orders are shipped and booked, exactly once")
        assert await dead_letters(stack, company) == []
        await _equal(stack, figures)


async def _equal(stack: Stack, figures: Figures) -> None:
    """What is under way from outbox to topic has a moment to arrive; what is only on a topic never belonged to this database."""
    for service in way.PUBLISHING:

        async def look(service: Service = service) -> tuple[set[str], set[str]]:
            return await differences(stack, service)

        _, only_there = await eventually(look, lambda found: not found[0], within=60, what=service.name)
        assert only_there == set(), f"{service.name}: {len(only_there)} events that are in no outbox"
    figures.say(f"an independent reader finds the outboxes and topics of {len(way.PUBLISHING)} services equal")


async def _ship_unless_shipped(company: Company, order: str) -> None:
    found = await eventually(lambda: company.shipments(order), bool, what=f"a shipment of {order}")
    if found[0]["status"] != "dispatched":
        await company.member.post(f"/v1/shipments/{found[0]['id']}/dispatch", {"tracking_number": "T-1"})


if __name__ == "__main__":
    main()
