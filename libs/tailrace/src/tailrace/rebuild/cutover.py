"""What a rebuild came to, against what is live: compared row by row, and put in its place together with the marks it belongs to.

Everything here runs in one transaction of the owner role that holds `freeze`. Readers see the old rows until it commits, and the new ones from then
on. Row-level security binds the owner too, so it goes tenant by tenant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Table

from tailrace.core.ids import NIL
from tailrace.messaging.dead_letters import BEHIND
from tailrace.messaging.subscribers import Projection
from tailrace.rebuild.shadow_schema import in_order, schema_of


@dataclass(frozen=True, slots=True)
class Compared:
    """The rows of one table and tenant (None for a table without tenants): in both alike, in one alone, or with other values."""

    table: str
    tenant_id: UUID | None
    equal: int
    only_live: int
    only_rebuilt: int
    different: int

    @property
    def differs(self) -> bool:
        return bool(self.only_live or self.only_rebuilt or self.different)


async def freeze(owner: "asyncpg.Connection[Any]") -> None:
    """Keep every consumer and redrive of this service where it is: each begins by locking a row of `inbox`. Readers do not wait."""
    await owner.execute("SET LOCAL lock_timeout = '10s'")
    # Should this process stand still, PostgreSQL lets the others go on.
    await owner.execute("SET LOCAL idle_in_transaction_session_timeout = '30s'")
    await owner.execute("LOCK TABLE public.inbox, public.dead_letter IN EXCLUSIVE MODE")


async def compare(owner: "asyncpg.Connection[Any]", projection: Projection, tenants: Iterable[UUID]) -> list[Compared]:
    """Every table and tenant that has rows on either side."""
    found: list[Compared] = []
    for tenant_id in [*sorted(tenants), None]:
        await _enter(owner, tenant_id)
        for table in in_order(projection):
            if ("tenant_id" in table.c) == (tenant_id is not None):
                query = _comparison(table, schema_of(projection))
                row = await owner.fetchrow(query, *([] if tenant_id is None else [tenant_id]))
                if any(row):
                    found.append(Compared(table.name, tenant_id, *row))
    return found


async def replace(owner: "asyncpg.Connection[Any]", projection: Projection, compared: Iterable[Compared]) -> None:
    """Make the live rows, marks and dead letters of the projection what the rebuilt ones are. Touches only what differs."""
    schema = schema_of(projection)
    by_tenant: dict[UUID | None, list[str]] = {}
    for each in compared:
        if each.differs:
            by_tenant.setdefault(each.tenant_id, []).append(each.table)
    for tenant_id, names in by_tenant.items():
        await _enter(owner, tenant_id)
        arguments = [] if tenant_id is None else [tenant_id]
        tables = [table for table in in_order(projection) if table.name in names]
        for table in reversed(tables):
            await owner.execute(_removal(table, schema, _is_referred_to(table, projection)), *arguments)
        for table in tables:
            await owner.execute(_filling(table, schema), *arguments)
    await _replace_marks(owner, projection.name, schema)
    await _replace_dead_letters(owner, projection.name, schema)


async def tenants_of(owner: "asyncpg.Connection[Any]", projection: Projection) -> set[UUID]:
    """The tenants that have rebuilt rows."""
    found: set[UUID] = set()
    for table in in_order(projection):
        if "tenant_id" in table.c:
            rows = await owner.fetch(f'SELECT DISTINCT tenant_id FROM "{schema_of(projection)}"."{table.name}"')
            found |= {row["tenant_id"] for row in rows}
    return found


async def _enter(owner: "asyncpg.Connection[Any]", tenant_id: UUID | None) -> None:
    await owner.execute("SELECT set_config('app.tenant_id', $1, true)", "" if tenant_id is None else str(tenant_id))


async def _replace_marks(owner: "asyncpg.Connection[Any]", name: str, schema: str) -> None:
    await owner.execute(
        f"""DELETE FROM public.inbox l WHERE subscriber = $1 AND NOT EXISTS (SELECT FROM "{schema}".inbox s
            WHERE s.subscriber = l.subscriber AND s.aggregate_id = l.aggregate_id)""",
        name,
    )
    await owner.execute(
        f"""INSERT INTO public.inbox AS l (subscriber, aggregate_id, epoch, sequence)
            SELECT subscriber, aggregate_id, epoch, sequence FROM "{schema}".inbox WHERE subscriber = $1
            ON CONFLICT (subscriber, aggregate_id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence
            WHERE (l.epoch, l.sequence) <> (excluded.epoch, excluded.sequence)""",
        name,
    )


async def _replace_dead_letters(owner: "asyncpg.Connection[Any]", name: str, schema: str) -> None:
    """Those that were applied vanish; those that failed again stay since when they did; new ones are reported like any dead letter."""
    same = "s.subscriber = l.subscriber AND s.topic = l.topic AND s.partition = l.partition AND s.offset = l.offset"
    new = await owner.fetch(
        f"""SELECT o.id, o.tenant_id FROM "{schema}".dead_letter s JOIN "{schema}".outbox o ON
            (o.payload::jsonb ->> 'source_topic', (o.payload::jsonb ->> 'source_partition')::int,
             (o.payload::jsonb ->> 'source_offset')::bigint) = (s.topic, s.partition, s.offset)
            WHERE s.subscriber = $1 AND s.kind <> $2 AND NOT EXISTS (SELECT FROM public.dead_letter l WHERE {same})""",
        name,
        BEHIND,
    )
    for row in new:
        await _enter(owner, row["tenant_id"] or NIL)
        await owner.execute(f'INSERT INTO public.outbox SELECT * FROM "{schema}".outbox WHERE id = $1', row["id"])
    await owner.execute(
        f'DELETE FROM public.dead_letter l WHERE subscriber = $1 AND NOT EXISTS (SELECT FROM "{schema}".dead_letter s WHERE {same})',
        name,
    )
    await owner.execute(
        f"""INSERT INTO public.dead_letter SELECT * FROM "{schema}".dead_letter WHERE subscriber = $1
            ON CONFLICT (subscriber, topic, partition, "offset")
            DO UPDATE SET kind = excluded.kind, reason = excluded.reason""",
        name,
    )


def _comparison(table: Table, schema: str) -> str:
    keys, values = _columns(table)
    where = " WHERE tenant_id = $1" if "tenant_id" in table.c else ""
    return f"""SELECT count(*) FILTER (WHERE l.{keys[0]} IS NOT NULL AND s.{keys[0]} IS NOT NULL AND {_same(values)}),
        count(*) FILTER (WHERE s.{keys[0]} IS NULL), count(*) FILTER (WHERE l.{keys[0]} IS NULL),
        count(*) FILTER (WHERE l.{keys[0]} IS NOT NULL AND s.{keys[0]} IS NOT NULL AND NOT {_same(values)})
        FROM (SELECT * FROM public."{table.name}"{where}) l FULL JOIN (SELECT * FROM "{schema}"."{table.name}"{where}) s
        ON {_matched(keys)}"""


def _removal(table: Table, schema: str, referred_to: bool) -> str:
    """Where nothing refers to them, changed rows go too, so that no unique key of an old row is in the way of a new one."""
    keys, values = _columns(table)
    kept = _matched(keys) if referred_to else f"{_matched(keys)} AND {_same(values)}"
    tenant = "l.tenant_id = $1 AND s.tenant_id = $1" if "tenant_id" in table.c else "true"
    mine = "l.tenant_id = $1" if "tenant_id" in table.c else "true"
    return f"""DELETE FROM public."{table.name}" l WHERE {mine}
        AND NOT EXISTS (SELECT FROM "{schema}"."{table.name}" s WHERE {tenant} AND {kept})"""


def _filling(table: Table, schema: str) -> str:
    keys, values = _columns(table)
    columns = ", ".join([*keys, *values])
    where = " WHERE tenant_id = $1" if "tenant_id" in table.c else ""
    then = "NOTHING"
    if values:
        changes = ", ".join(f"{name} = excluded.{name}" for name in values)
        then = f"UPDATE SET {changes} WHERE NOT {_same(values, 'excluded')}"
    return f"""INSERT INTO public."{table.name}" AS l ({columns}) OVERRIDING SYSTEM VALUE
        SELECT {columns} FROM "{schema}"."{table.name}"{where} ON CONFLICT ({", ".join(keys)}) DO {then}"""


def _columns(table: Table) -> tuple[list[str], list[str]]:
    """Names of the key and of everything else that is stored, quoted."""
    keys = [f'"{column.name}"' for column in table.primary_key]
    return keys, [f'"{c.name}"' for c in table.c if not c.primary_key and c.computed is None]


def _matched(keys: Sequence[str]) -> str:
    return " AND ".join(f"l.{name} = s.{name}" for name in keys)


def _same(values: Sequence[str], other: str = "s") -> str:
    if not values:
        return "true"
    mine, theirs = (", ".join(f"{side}.{name}" for name in values) for side in ("l", other))
    return f"(ROW({mine}) IS NOT DISTINCT FROM ROW({theirs}))"


def _is_referred_to(table: Table, projection: Projection) -> bool:
    return any(key.column.table is table for other in projection.tables for key in other.foreign_keys)
