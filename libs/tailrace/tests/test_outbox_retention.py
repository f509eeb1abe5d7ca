"""The outbox lets go of what is old and has arrived, of canaries within the hour, and of nothing else, whoever asks."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tailrace.capture import canary, outbox_retention
from tailrace.core.context import Context
from tailrace.core.ids import NIL
from tailrace.db.tables import outbox
from tailrace_testing import Harness

DAYS = timedelta(days=1)


async def _write(toy: Harness, *texts: str) -> None:
    for client in (toy.client, toy.client_as(tenant=toy.other_tenant)):
        for text in texts:
            assert (await client.post("/v1/notes", json={"text": text})).status_code == 201


async def _left(toy: Harness, tenant: UUID) -> int:
    return int(await toy.admin.fetchval("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant))


async def _canaries(toy: Harness) -> list[Any]:
    query = "SELECT * FROM outbox WHERE topic = 'tailrace.canary' ORDER BY sequence"
    return list(await toy.admin.fetch(query))


async def test_old_rows_that_arrived_go_in_batches_and_the_others_stay(toy: Harness) -> None:
    await _write(toy, "a", "b", "c")
    for days, tenant in ((8, toy.tenant), (9, toy.other_tenant)):
        age = days * DAYS
        await toy.admin.execute(
            "UPDATE outbox SET recorded_at = now() - $1::interval WHERE tenant_id = $2 AND payload NOT LIKE '%\"c\"%'",
            age,
            tenant,
        )
    now = datetime.now(UTC)
    # The last canary that arrived is older than the rows of one tenant, so theirs may be missing in Kafka.
    heard = now - 8 * DAYS - timedelta(minutes=5)
    assert await outbox_retention.prune(toy.database, heard, most=1) == 1
    assert await outbox_retention.prune(toy.database, heard) == 1
    assert await outbox_retention.prune(toy.database, heard) == 0
    assert (await _left(toy, toy.tenant), await _left(toy, toy.other_tenant)) == (3, 1)
    # One that was recorded just after them says too little: they may have been committed later than it was.
    assert await outbox_retention.prune(toy.database, heard + timedelta(minutes=30)) == 0
    assert await outbox_retention.prune(toy.database, now) == 2
    assert (await _left(toy, toy.tenant), await _left(toy, toy.other_tenant)) == (1, 1)
    assert {event.event.text for event in await toy.published("note.written")} == {"c"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("acting", ["owner", "stranger", "nobody"])
async def test_postgresql_keeps_young_rows_from_every_role(toy: Harness, acting: str) -> None:
    await _write(toy, "a")
    who = {"owner": toy.tenant, "stranger": toy.other_tenant, "nobody": None}[acting]
    async with toy.database.transaction(Context(tenant_id=who)) as tx:
        await tx.execute(outbox.delete())
    assert (await _left(toy, toy.tenant), await _left(toy, toy.other_tenant)) == (1, 1)


async def test_canaries_follow_one_another_and_are_forgotten_after_an_hour(
    toy: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not all of them at once where a service stood still for longer: the last ones say whether Kafka still has what it acknowledged."""
    monkeypatch.setattr(canary, "KEPT_AT_LEAST", 2)
    await _write(toy, "a")
    await canary.write_canary(toy.database, "toy")
    await canary.write_canary(toy.database, "toy")
    first, second = await _canaries(toy)
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert {first["aggregate_id"], second["aggregate_id"]} == {canary.canary_id("toy")}
    assert {first["tenant_id"], second["tenant_id"]} == {NIL}
    await toy.admin.execute("UPDATE outbox SET recorded_at = now() - interval '61 minutes'")
    await canary.write_canary(toy.database, "toy")
    assert [row["sequence"] for row in await _canaries(toy)] == [2, 3]
    assert await _left(toy, toy.tenant) == 1
