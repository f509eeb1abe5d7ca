"""How long an approval's answer takes to reach the document that asked: `python -m answers 40`, of so many quotes, on a fleet of its own; with
`--running`, on the one that `tailrace up` has started.

A manager approves one quote after another through the gateway, with pauses of random length, so that nobody's poll is in step with it. Printed are,
in ms, the answer to the manager, from then until a consumer has the event from Kafka, and until the quote is approved in its own service's
database, which is looked at all the while. With
`max.batch.size=2048` and the like behind the number, the connector that carries the answer has these settings and the project's in turns, so
that whatever else happens on the machine meets both.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from company import Company
from measure.arithmetic import summary
from measure.latency import Arrivals
from measure.machine import machine

from tailrace.capture.connect_api import Rest
from tailrace.cli.running import enter_environment
from tailrace.observability.logs import configure
from tailrace.settings import Settings
from tailrace.stack.embedded import Stack
from tailrace.stack.plan import service_names
from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

TURNS = 4
PAUSE = 0.4
"""Seconds between two answers, on average."""
LOOK, WITHIN = 0.003, 120.0
CARRIER, OWNER = "workflow", "quotes"
PROJECT = "the project's settings"
Took = tuple[float, float, float]
"""Seconds until the manager had the answer, from then until the event was out of Kafka, and from then until the quote was approved."""
_READER = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1"
_ANOTHER = "SELECT active_pid <> coalesce($2, 0) FROM pg_replication_slots WHERE slot_name = $1"
_APPROVED = "SELECT status = 'approved' FROM quote WHERE id = $1"


class Fleet(NamedTuple):
    """Where its parts are, and the password of the platform's operator."""

    gateway: str
    connect: str
    postgres: str
    kafka: str
    operator: str


class Answered(Arrivals):
    """Notes when each approval's answer came out of Kafka."""

    async def _read(self) -> None:
        while True:
            batch = await self._consumer.getmany(timeout_ms=1000)
            now = time.time()
            for record in (record for records in batch.values() for record in records):
                if dict(record.headers)["ce_type"] == b"approval.approved":
                    self.seen[UUID(record.key.decode())] = now


class Room:
    """A company with a manager, and quotes below what their author may give."""

    def __init__(self, company: Company, manager: Member, terms: dict[str, Any]) -> None:
        self._member, self._manager, self._terms = company.member, manager, terms

    @classmethod
    async def open(cls, gateway: Gateway) -> "Room":
        company = await Company.found(gateway)
        member, email = company.member, f"manager@{company.member.slug}.example"
        await member.post(
            "/v1/auth/users", {"email": email, "name": "Manager", "password": PASSWORD, "roles": ["manager"]}
        )
        manager = await gateway.log_in(member.slug, email)
        price = {"item_id": company.item_id, "min_quantity": "1", "unit_price": "1200"}
        prices = {"code": "RETAIL", "name": "Retail", "currency": "EUR", "prices": [price]}
        listed = await member.post("/v1/price-lists", prices)
        ada = {"name": "Ada Works", "currency": "EUR", "price_list_id": listed["id"]}
        customer = await member.post("/v1/customers", ada)
        line = {"item_id": company.item_id, "quantity": "10", "discount_rate": "0.333"}
        terms = {"customer_id": customer["id"], "warehouse_id": company.warehouse_id, "lines": [line]}
        return cls(company, manager, terms)

    async def waiting(self) -> tuple[str, str]:
        """A quote that waits for the manager, and its approval."""
        quote = await self._member.post("/v1/quotes", self._terms)
        await self._member.post(f"/v1/quotes/{quote['id']}/submit")
        found = await eventually(
            lambda: self._manager.get("/v1/approvals", document_id=quote["id"], status="pending"),
            lambda page: bool(page["items"]),
            what="the approval",
        )
        return quote["id"], found["items"][0]["id"]

    async def approve(self, approval: str) -> None:
        await self._manager.patch(f"/v1/approvals/{approval}/approve")


async def _turn(
    room: Room, database: asyncpg.Connection, heard: Answered, many: int, dice: random.Random
) -> list[Took]:
    asked = [await room.waiting() for _ in range(many)]
    took = []
    for quote, id in asked:
        approval = UUID(id)
        await asyncio.sleep(dice.expovariate(1 / PAUSE))
        began = time.time()
        await room.approve(id)
        answered = time.time()
        await _until(partial(database.fetchval, _APPROVED, quote))
        there = time.time()
        await _until(partial(_heard, heard, approval))
        arrived = heard.seen[approval]
        took.append((answered - began, arrived - answered, there - arrived))
    return took


async def _heard(heard: Answered, id: UUID) -> bool:
    return id in heard.seen


async def _until(holds: Callable[[], Awaitable[Any]]) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(WITHIN):
        while True:
            if await holds():
                return
            await asyncio.sleep(LOOK)


async def _use(fleet: Fleet, config: Mapping[str, str]) -> None:
    """Returns when a new task reads the slot."""
    admin = await asyncpg.connect(fleet.postgres)
    try:
        async with Rest(fleet.connect) as rest:
            before = await admin.fetchval(_READER, f"{CARRIER}_outbox")
            if await rest._current(CARRIER) == config:
                return
            await rest.put(CARRIER, config)
        await _until(partial(admin.fetchval, _ANOTHER, f"{CARRIER}_outbox", before))
    finally:
        await admin.close()


async def _measure(fleet: Fleet, many: int, other: dict[str, str]) -> None:
    async with Rest(fleet.connect) as rest:
        project = await rest._current(CARRIER)
    assert project is not None, f"{CARRIER} has no connector"
    ways = {PROJECT: project}
    if other:
        ways[" ".join(f"{name}={value}" for name, value in other.items())] = {**project, **other}
    print(f"{len(service_names())} services, poll.interval.ms {project['poll.interval.ms']}, {machine()}", flush=True)
    dice, found = random.Random(1), {how: list[Took]() for how in ways}
    database = await asyncpg.connect(fleet.postgres.rsplit("/", 1)[0] + f"/{OWNER}")
    try:
        async with (
            Gateway(fleet.gateway, fleet.operator) as gateway,
            Answered(fleet.kafka, ["approval.events"]) as heard,
        ):
            room = await Room.open(gateway)
            await _turn(room, database, heard, 3, dice)  # the first ones are slower than any after them
            for turn in range(TURNS):
                for how in [*ways][:: 1 if turn % 2 == 0 else -1]:
                    await _use(fleet, ways[how])
                    some = await _turn(room, database, heard, max(1, many // TURNS), dice)
                    _say(f"turn {turn + 1}, {how}", some)
                    found[how] += some
    finally:
        await database.close()
    for how, took in found.items():
        _say(how, took)


def _say(what: str, took: list[Took]) -> None:
    named = {"to the manager": 0, "to Kafka": 1, "to the document": 2}
    parts = {name: [each[at] for each in took] for name, at in named.items()}
    parts["from the answer to the document"] = [sum(each[1:]) for each in took]
    print(f"{what}; load {os.getloadavg()[0]:.1f}")
    for name, seconds in parts.items():
        print(f"  {name:32} {summary(seconds)}", flush=True)


def main() -> None:
    configure("answers", "ERROR")
    numbers = [each for each in sys.argv[1:] if each.isdigit()]
    many = int(numbers[0]) if numbers else 40
    other = dict(each.split("=", 1) for each in sys.argv[1:] if "=" in each)
    if "--running" in sys.argv:
        at, known, operator = enter_environment().gateway_url, Settings(), os.environ["TAILRACE_OPERATOR_PASSWORD"]
        asyncio.run(_measure(Fleet(at, known.connect, known.postgres, known.kafka, operator), many, other))
        return
    folder = Path(tempfile.mkdtemp(prefix="tailrace-answers-"))
    folder.chmod(0o755)
    limits = {"TAILRACE_TENANT_RATE": "5000", "TAILRACE_TENANT_BURST": "10000"}
    stack = Stack(folder / "data", environment=limits, durable=False)
    try:
        stack.start()
        operator = stack.supervisor.credentials.operator
        fleet = Fleet(stack.gateway_url, stack.connect_url, stack.postgres_url, stack.kafka, operator)
        asyncio.run(_measure(fleet, many, other))
    finally:
        stack.discard()


if __name__ == "__main__":
    main()
