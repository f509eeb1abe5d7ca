"""Every database: migrated without drift, closed to everybody else, and each row held to its tenant."""

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from tailrace import tables
from tailrace.service import Service
from tailrace.settings import Role
from tailrace_testing import Harness, MakeHarness

_BOOKKEEPING = {"alembic_version", "alembic_version_kit"}


@pytest.fixture
async def harness(service: Service, make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


async def test_migrations_make_what_the_models_say(service: Service, harness: Harness) -> None:
    assert service.metadata is not None
    both = [service.metadata, tables.metadata]
    engine = create_async_engine(harness.admin_url.replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with engine.connect() as connection:
            options = {
                "compare_type": True,
                "include_name": lambda name, kind, _: not (kind == "table" and name in _BOOKKEEPING),
            }
            differences = await connection.run_sync(
                lambda c: compare_metadata(
                    MigrationContext.configure(c, opts={**options, "target_metadata": both}), both
                )  # type: ignore[arg-type]
            )
    finally:
        await engine.dispose()
    assert differences == []


async def test_every_tenant_table_is_under_forced_row_level_security(service: Service, harness: Harness) -> None:
    open_tables = {t.name for t in tables.PLATFORM} | service.platform_tables | _BOOKKEEPING
    rows = await harness.admin.fetch(
        """SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
                  (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant') AS policies
           FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"""
    )
    assert {row["relname"] for row in rows} >= {t.name for t in tables.TENANT}
    unguarded = {row["relname"] for row in rows if not row["forced"] or row["policies"] != 1}
    assert unguarded == open_tables & {row["relname"] for row in rows}


async def test_every_tenant_table_has_its_tenant_first_in_the_key(service: Service, harness: Harness) -> None:
    rows = await harness.admin.fetch(
        """SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
           WHERE i.indisprimary AND c.relrowsecurity AND c.relname <> 'outbox'"""
    )
    assert rows
    assert {row["relname"]: row["attname"] for row in rows} == {row["relname"]: "tenant_id" for row in rows}


async def test_without_a_tenant_there_are_no_rows_and_no_writes(service: Service, harness: Harness) -> None:
    app = await asyncpg.connect(harness.settings.database_url.replace("+asyncpg", ""))  # type: ignore[union-attr]
    try:
        for table in await _guarded(harness):
            assert await app.fetchval(f'SELECT count(*) FROM "{table}"') == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(
                "INSERT INTO outbox (id, tenant_id, topic, aggregate_id, sequence, type, schema_version, dataschema, source,"
                " correlation_id, payload) SELECT gen_random_uuid(), gen_random_uuid(), 't', gen_random_uuid(), 1, 't', 1, 's', 's',"
                " gen_random_uuid(), '{}'"
            )
    finally:
        await app.close()


async def test_the_roles_have_no_more_rights_than_they_need(service: Service, harness: Harness) -> None:
    rows = await harness.admin.fetch(
        "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication FROM pg_roles WHERE rolname LIKE $1",
        f"{service.name}\\_%",
    )
    assert {row["rolname"] for row in rows} == {f"{service.name}_{role}" for role in ("owner", "app", "capture")}
    for row in rows:
        assert not (row["rolsuper"] or row["rolcreatedb"] or row["rolcreaterole"] or row["rolbypassrls"])
        assert row["rolreplication"] == row["rolname"].endswith("_capture")
    owned = await harness.admin.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND pg_get_userbyid(relowner) <> $1",
        f"{service.name}_owner",
    )
    assert owned == 0


async def test_nobody_else_can_enter(service: Service, services: list[Service], harness: Harness) -> None:
    roles: list[Role] = ["owner", "app", "capture"]
    for other in services:
        if other.name == service.name or other.metadata is None:
            continue
        for role in roles:
            url = harness.settings.model_copy(update={"database_url": None}).database(other.name, role, "postgresql")
            with pytest.raises(asyncpg.PostgresError) as refusal:
                await asyncpg.connect(f"{url.rsplit('/', 1)[0]}/{harness.database_name}")
            assert isinstance(refusal.value, asyncpg.InsufficientPrivilegeError | asyncpg.InvalidPasswordError)


async def test_what_is_published_cannot_be_changed_or_taken_back(service: Service, harness: Harness) -> None:
    for statement in ("UPDATE outbox SET payload = '{}'", "DELETE FROM outbox", "TRUNCATE outbox"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _as_app(harness, statement)


async def test_the_publication_holds_the_outbox_and_its_inserts_alone(service: Service, harness: Harness) -> None:
    row = await harness.admin.fetchrow("SELECT * FROM pg_publication")
    assert row is not None
    assert (row["pubname"], row["puballtables"], row["pubinsert"]) == ("outbox", False, True)
    assert not (row["pubupdate"] or row["pubdelete"] or row["pubtruncate"])
    assert [r["tablename"] for r in await harness.admin.fetch("SELECT tablename FROM pg_publication_tables")] == [
        "outbox"
    ]


async def _guarded(harness: Harness) -> list[str]:
    return [r["relname"] for r in await harness.admin.fetch("SELECT relname FROM pg_class WHERE relrowsecurity")]


async def _as_app(harness: Harness, statement: str) -> None:
    app = await asyncpg.connect(harness.settings.database_url.replace("+asyncpg", ""))  # type: ignore[union-attr]
    try:
        await app.execute(statement)
    finally:
        await app.close()
