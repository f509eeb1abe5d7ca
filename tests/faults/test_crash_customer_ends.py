"""What is open for a customer that was deleted ends once each, in every service, wherever the process dies that ends it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from asking import free_port
from failpoints import Failpoint
from forkserver import ForkServer
from leaving import ends

from activities.following import Turn
from activities.following import turn as tasks_turn
from opportunities import timers as opportunities
from quotes import timers as quotes
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

OPEN = 300
"""A batch and a half, in each of the services."""
_NEUTRAL = {
    "text": "''",
    "character varying": "''",
    "uuid": "gen_random_uuid()",
    "jsonb": "'[]'",
    "boolean": "false",
    "date": "'2026-01-01'",
    "timestamp with time zone": "now()",
}
"""What a column holds of which the test says nothing; 0 otherwise."""


async def _end_of_tasks(tx: Tx, customer: UUID) -> None:
    await tasks_turn.set(tx, customer, datetime.now(UTC), Turn(what="deleted"))


async def _end_of_opportunities(tx: Tx, customer: UUID) -> None:
    await opportunities.turn(tx, customer, "deleted")


async def _end_of_quotes(tx: Tx, customer: UUID) -> None:
    tx.add(quotes.CustomerEnd(customer_id=customer, into_customer_id=None))
    await quotes.ending.set(tx, customer, datetime.now(UTC))


@dataclass(frozen=True)
class Kind:
    """What is open for a customer in a service, and how it ends."""

    table: str
    begin: Callable[[Tx, UUID], Awaitable[None]]
    step: str
    """The method that ends one of them."""
    event: str
    open: dict[str, str]
    """Columns, as SQL."""
    is_open: str
    copy: dict[str, str] | None = None
    """Columns of the customer's copy, out of use, where the service keeps one to look at."""


KINDS = {
    "activities": Kind(
        "task",
        _end_of_tasks,
        "activities.tasks:Task.end_with_customer",
        "task.cancelled",
        {
            "status": "'open'",
            "priority": "'normal'",
            "time_zone": "'UTC'",
            "home_customer_id": "$2",
            "due_on": "'2999-01-01'",
        },
        "status = 'open'",
        {"status": "'active'"},
    ),
    "opportunities": Kind(
        "opportunity",
        _end_of_opportunities,
        "opportunities.models:Opportunity.delete",
        "crm.opportunity.deleted",
        {
            "number": "'O-' || n",
            "status": "'open'",
            "own_customer_id": "$2",
            "customer_there": "true",
            "category": "'pipeline'",
            "currency": "'EUR'",
        },
        "deleted_at IS NULL",
        {},
    ),
    "quotes": Kind(
        "quote",
        _end_of_quotes,
        "quotes.models:Quote.cancel",
        "quote.cancelled",
        {"number": "'Q-' || n", "status": "'sent'", "currency": "'EUR'", "customer": "'{}'"},
        "status = 'sent'",
    ),
}


async def _fill(h: Harness, table: str, rows: int, values: dict[str, str], *given: object) -> None:
    """Rows with these values, as SQL of the row's number `n`, and neutral ones in every other column that needs one."""
    query = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL AND is_generated = 'NEVER'
    """
    needed = {row["column_name"]: _NEUTRAL.get(row["data_type"], "0") for row in await h.admin.fetch(query, table)}
    values = needed | {"tenant_id": "$1"} | values
    made = f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM generate_series(1, {rows}) AS n"
    await h.admin.execute(made, h.tenant, *given)


async def _left(h: Harness, kind: Kind) -> int:
    return int(await h.admin.fetchval(f"SELECT count(*) FROM {kind.table} WHERE {kind.is_open}"))


@pytest.mark.parametrize("name", KINDS)
async def test_each_ends_once(name: str, make_harness: MakeHarness, forkserver: ForkServer) -> None:
    kind, h, customer = KINDS[name], await make_harness(ends[name]), uuid7()
    await _fill(h, kind.table, OPEN, {"customer_id": "$2", "version": "1"} | kind.open, customer)
    if kind.copy is not None:
        await _fill(h, "customer_copy", 1, {"id": "$2", "active": "false"} | kind.copy, customer)
    async with h.tx() as tx:
        await kind.begin(tx, customer)

    settings = {"database_url": h.settings.database_url, "log_level": "ERROR"}
    given: dict[str, Any] = {"service": f"ends_of_{name}", "settings": settings, "parts": ["consumer"]}
    in_the_second_batch = Failpoint(kind.step, "after", nth=250)
    await forkserver.start("serve", [in_the_second_batch], port=free_port(), **given).struck()
    assert await _left(h, kind) == OPEN - 200
    life = forkserver.start("serve", port=free_port(), **given)
    await eventually(
        lambda: h.admin.fetchval("SELECT count(*) FROM timer"), lambda left: left == 0, what="the end of what was open"
    )
    await life.kill()

    assert await _left(h, kind) == 0
    query = "SELECT count(*), count(DISTINCT aggregate_id) AS once, max(sequence) AS last FROM outbox WHERE type = $1"
    row = await h.admin.fetchrow(query, kind.event)
    assert (row["count"], row["once"], row["last"]) == (OPEN, OPEN, 2)
