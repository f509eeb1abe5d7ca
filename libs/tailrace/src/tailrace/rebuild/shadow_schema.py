"""A read model built aside: its tables once more, empty, with marks and dead letters of their own, in a schema that live readers never see.

The projection's own handlers run against it unmodified, on connections that see this schema and no other. So a rebuild can change nothing that is
live, and a table that a projection uses without declaring it is not there for it.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy import Table

from tailrace.db.tables import dead_letter, dropped, inbox, outbox
from tailrace.messaging.subscribers import Projection

_KIT = (inbox, dead_letter, dropped, outbox)


def schema_of(projection: Projection) -> str:
    return "rebuild_" + projection.name.replace(".", "_")


def in_order(projection: Projection) -> Sequence[Table]:
    """The tables that a projection owns, those that are referred to first."""
    if not projection.tables:
        return ()
    return [table for table in projection.tables[0].metadata.sorted_tables if table in projection.tables]


async def create(owner: "asyncpg.Connection[Any]", projection: Projection, app_role: str) -> None:
    """Make the schema with columns, defaults, checks, keys, indexes, row-level security and rights of the live tables.

    What an interrupted rebuild left behind goes first. The owner is not bound by row-level security here, unlike in the live tables, and so sees
    what all tenants will have.
    """
    schema = schema_of(projection)
    tables = in_order(projection)
    async with owner.transaction():
        await drop(owner, projection)
        await owner.execute(f'CREATE SCHEMA "{schema}"')
        await owner.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO "{app_role}"')
        for table in (*tables, *_KIT):
            await owner.execute(f'CREATE TABLE "{schema}"."{table.name}" (LIKE public."{table.name}" INCLUDING ALL)')
        for table in tables:
            await _copy_references(owner, schema, table.name)
            await _copy_security(owner, schema, table.name)
            await _copy_rights(owner, schema, table.name, app_role)
        for table in _KIT:
            rights = "SELECT, INSERT, UPDATE, DELETE"
            await owner.execute(f'GRANT {rights} ON "{schema}"."{table.name}" TO "{app_role}"')
        # What was given up for good is not asked about again.
        await owner.execute(
            f'INSERT INTO "{schema}".dropped SELECT * FROM public.dropped WHERE subscriber = $1', projection.name
        )


async def drop(owner: "asyncpg.Connection[Any]", projection: Projection) -> None:
    await owner.execute(f'DROP SCHEMA IF EXISTS "{schema_of(projection)}" CASCADE')


async def strangers(owner: "asyncpg.Connection[Any]", projection: Projection) -> list[str]:
    """Tables of others that refer to what the projection owns: its rows cannot be replaced without them."""
    rows = await owner.fetch(
        """SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint WHERE contype = 'f'
           AND confrelid = ANY($1::text[]::regclass[]) AND conrelid <> ALL($1::text[]::regclass[])""",
        [f'public."{table.name}"' for table in projection.tables],
    )
    return [row["name"] for row in rows]


async def _copy_references(owner: "asyncpg.Connection[Any]", schema: str, table: str) -> None:
    rows = await owner.fetch(
        "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = $1::text::regclass",
        f'public."{table}"',
    )
    # The definitions name tables as they are seen from `public`; here the same names mean the tables beside this one.
    await owner.execute(f'SET LOCAL search_path = "{schema}", public')
    for row in rows:
        await owner.execute(f'ALTER TABLE "{schema}"."{table}" ADD CONSTRAINT "{row["conname"]}" {row["definition"]}')
    await owner.execute("SET LOCAL search_path = public")


async def _copy_security(owner: "asyncpg.Connection[Any]", schema: str, table: str) -> None:
    secured = "SELECT relrowsecurity FROM pg_class WHERE oid = $1::text::regclass"
    if not await owner.fetchval(secured, f'public."{table}"'):
        return
    await owner.execute(f'ALTER TABLE "{schema}"."{table}" ENABLE ROW LEVEL SECURITY')
    policies = await owner.fetch("SELECT * FROM pg_policies WHERE schemaname = 'public' AND tablename = $1", table)
    for policy in policies:
        roles = ", ".join("PUBLIC" if role == "public" else f'"{role}"' for role in policy["roles"])
        using = f" USING ({policy['qual']})" if policy["qual"] is not None else ""
        check = f" WITH CHECK ({policy['with_check']})" if policy["with_check"] is not None else ""
        await owner.execute(
            f'CREATE POLICY "{policy["policyname"]}" ON "{schema}"."{table}" AS {policy["permissive"]}'
            f" FOR {policy['cmd']} TO {roles}{using}{check}"
        )


async def _copy_rights(owner: "asyncpg.Connection[Any]", schema: str, table: str, role: str) -> None:
    rows = await owner.fetch(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        " WHERE table_schema = 'public' AND table_name = $1 AND grantee = $2",
        table,
        role,
    )
    for row in rows:
        await owner.execute(f'GRANT {row["privilege_type"]} ON "{schema}"."{table}" TO "{role}"')
