"""A database goes from test to test as it was made, or not at all."""

import asyncpg
import pytest
from toy import service

from tailrace_testing import Harness
from tailrace_testing.databases import Databases
from tailrace_testing.tokens import TestIssuer


async def test_it_is_as_it_was_made(databases: Databases, issuer: TestIssuer) -> None:
    name = await databases.take(service)
    admin = await asyncpg.connect(databases.admin_url(name))
    made = await _all_of(admin)
    assert made["alembic_version"], "a row that the migrations put there"
    harness = Harness(service, databases, issuer, name)
    await harness.start()
    assert (await harness.client.post("/v1/notes", json={"text": "x"})).status_code == 201
    await harness.stop()
    await admin.execute("DELETE FROM alembic_version; SELECT nextval(oid::regclass) FROM pg_class WHERE relkind = 'S'")
    assert await _all_of(admin) != made
    await databases.give_back(name)  # with a session that is open
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await admin.fetchval("SELECT 1")
    assert await databases.take(service) == name
    admin = await asyncpg.connect(databases.admin_url(name))
    assert await _all_of(admin) == made
    await admin.close()
    await databases.give_back(name)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "CREATE INDEX more ON note (text)",
        "ALTER TABLE outbox DROP CONSTRAINT uq_outbox_aggregate_id_sequence",
        "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE note ADD COLUMN more text",
        "ALTER TABLE note ALTER COLUMN text SET DEFAULT 'x'",
        "GRANT SELECT ON note TO PUBLIC",
        "GRANT SELECT (text) ON note TO PUBLIC",
        "CREATE POLICY more ON note USING (true)",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE PUBLICATION more FOR TABLE note",
        "CREATE VIEW more AS SELECT 1",
        "ALTER DATABASE {name} SET deadlock_timeout = '20ms'",
        "GRANT CONNECT ON DATABASE {name} TO PUBLIC",
    ],
)
async def test_what_is_otherwise_is_dropped(databases: Databases, change: str) -> None:
    name = await databases.take(service)
    admin = await asyncpg.connect(databases.admin_url(name))
    await admin.execute(change.format(name=name))
    await admin.close()
    await databases.give_back(name)
    other = await databases.take(service)
    assert other != name
    await databases.give_back(other)


async def _all_of(admin: asyncpg.Connection) -> dict[str, object]:
    tables = [row[0] for row in await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = {table: await admin.fetch(f'SELECT * FROM "{table}"') for table in tables}
    return {**rows, "sequences": await admin.fetch("SELECT sequencename, last_value FROM pg_sequences")}
