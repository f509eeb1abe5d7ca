"""What keeps a service going beside its requests: preparing its database, forgetting what was kept long enough, coming back quickly."""

import asyncio

import asyncpg
from toy import Note, service

from tailrace.capture.connectors import connector_config, deployed_connector
from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.tables import idempotency as idempotency_table
from tailrace.http import idempotency
from tailrace.runtime.migrate import prepare_database
from tailrace.settings import Settings
from tailrace_testing import Harness


async def test_a_database_prepared_by_several_at_once_is_prepared_once(toy: Harness, postgres: str) -> None:
    name = f"toy_{uuid7().hex}"
    await asyncio.gather(*[prepare_database(postgres, service, toy.settings, name=name) for _ in range(4)])
    admin = await asyncpg.connect(postgres.rsplit("/", 1)[0] + f"/{name}")
    try:
        assert await admin.fetchval("SELECT count(*) FROM alembic_version_kit") == 1
        assert await admin.fetchval("SELECT count(*) FROM note") == 0
    finally:
        await admin.close()
    await toy.admin.execute(f'DROP DATABASE "{name}"')


async def test_answers_are_forgotten_after_seven_days(toy: Harness) -> None:
    for client in (toy.client, toy.client_as(tenant=toy.other_tenant)):
        for key in ("old", "older", "young"):
            answer = await client.post("/v1/notes", json={"text": key}, headers={"Idempotency-Key": key})
            assert answer.status_code == 201
    await toy.admin.execute("UPDATE idempotency SET created_at = now() - interval '169 hours' WHERE key <> 'young'")
    assert await idempotency.prune(toy.database, most=3) == 3
    assert await idempotency.prune(toy.database, most=3) == 1
    assert [row["key"] for row in await toy.admin.fetch("SELECT key FROM idempotency")] == ["young", "young"]
    again = await toy.client.post("/v1/notes", json={"text": "young"}, headers={"Idempotency-Key": "young"})
    assert again.headers["idempotency-replayed"] == "true"


async def test_another_tenants_old_answers_stay_hidden(toy: Harness) -> None:
    await toy.client.post("/v1/notes", json={"text": "x"})
    await toy.admin.execute("UPDATE idempotency SET created_at = now() - interval '30 days'")
    async with toy.tx(toy.other_tenant) as tx:
        assert (await tx.execute(idempotency_table.select())).all() == []
        gone = await tx.execute(idempotency_table.delete())
        assert gone.rowcount == 0  # type: ignore[attr-defined]
    async with toy.database.transaction(Context(tenant_id=None)) as tx:
        assert (await tx.execute(Note.__table__.select())).all() == []


def test_a_connector_comes_back_soon_after_its_database() -> None:
    for rendered in (connector_config(service, Settings()), deployed_connector(service, Settings()).render()):
        assert rendered["retriable.restart.connector.wait.ms"] == "1000"
