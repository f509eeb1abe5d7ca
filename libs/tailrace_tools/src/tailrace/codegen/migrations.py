"""A migration is written from the models: what alembic finds missing in a migrated database, and what the kit does to the tables that are new.

A new tenants' table comes under forced row-level security; one that is declared insert-only loses its rights. Check constraints, which alembic does
not compare, are compared by what PostgreSQL makes of them.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from alembic.autogenerate import produce_migrations, render_op_text, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.operations import ops
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import conv

from tailrace.core.addresses.database import for_engine, in_database
from tailrace.db import tables
from tailrace.runtime.migrate import alembic_config, migrations_of, prepare_database
from tailrace.service import Service
from tailrace.settings import Settings

Checks = Mapping[tuple[str, str], str]
_VERSIONS = {"alembic_version", "alembic_version_kit"}
_SCRATCH = "what_the_models_say"
_TEMPLATE = '''"""{message}."""

import sqlalchemy as sa
from alembic import op
{imports}

revision = "{revision}"
down_revision = {parent}


def upgrade() -> None:
    {body}
'''


class KitOperation(ops.MigrateOperation):
    """A call of one of `tailrace.db.row_security`'s functions."""

    def __init__(self, function: str, *names: str) -> None:
        self.function, self.names = function, names


@renderers.dispatch_for(KitOperation)
def _render(context: AutogenContext, operation: KitOperation) -> str:
    context.imports.add(f"from tailrace.db.row_security import {operation.function}")
    return f"{operation.function}(op, {', '.join(map(repr, operation.names))})"


async def next_migration(service: Service, admin_url: str, settings: Settings, message: str) -> tuple[Path, str] | None:
    """The path and the text of the file to come; None when models and migrations agree. `admin_url`: a server that takes a scratch database."""
    assert service.metadata is not None, f"{service.name} has no database"
    folder = migrations_of(service)
    folder.mkdir(exist_ok=True)
    name = f"{service.name}_{uuid4().hex}"
    await prepare_database(admin_url, service, settings, name=name)
    url, tls = for_engine(in_database(admin_url, name).replace("postgresql://", "postgresql+asyncpg://"))
    engine = create_async_engine(url, poolclass=NullPool, connect_args=tls)
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_operations, service)
            if not found:
                return None
            path, written = await connection.run_sync(_written, service, found, message)
            return folder / path, written
    finally:
        await engine.dispose()
        await _drop(admin_url, name)


def checks(connection: Connection, metadata: MetaData) -> tuple[Checks, Checks]:
    """Check constraints by table and name, as PostgreSQL words them: those of the database, and those that the models want. Rolls back."""
    there = _checks_in(connection, "public", metadata)
    connection.execute(text(f"CREATE SCHEMA {_SCRATCH}"))
    metadata.create_all(connection.execution_options(schema_translate_map={None: _SCRATCH}), checkfirst=False)
    wanted = _checks_in(connection, _SCRATCH, metadata)
    connection.rollback()
    connection.execution_options(schema_translate_map=None)
    return there, wanted


def _checks_in(connection: Connection, schema: str, metadata: MetaData) -> Checks:
    rows = connection.execute(
        text(
            "SELECT t.relname, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
            " WHERE c.contype = 'c' AND c.connamespace = CAST(:schema AS regnamespace) AND t.relname = ANY (:names)"
        ),
        {"schema": schema, "names": list(metadata.tables)},
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _operations(connection: Connection, service: Service) -> list[ops.MigrateOperation]:
    metadata = service.metadata
    assert metadata is not None
    there, wanted = checks(connection, metadata)
    left_out = _VERSIONS | set(tables.metadata.tables)
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, _: not (kind == "table" and name in left_out),
        "target_metadata": metadata,
    }
    script = produce_migrations(MigrationContext.configure(connection, opts=options), metadata)
    assert script.upgrade_ops is not None
    found: list[ops.MigrateOperation] = list(script.upgrade_ops.ops)
    made = [one for one in found if isinstance(one, ops.CreateTableOp)]
    for one in made:
        one.info = {}
    new = [metadata.tables[one.table_name] for one in made]
    return [*found, *_of_checks(metadata, new, there, wanted), *_of_the_kit(service, new)]


def _of_checks(
    metadata: MetaData, new: Sequence[Table], there: Checks, wanted: Checks
) -> Sequence[ops.MigrateOperation]:
    """New tables bring theirs along."""
    made = {table.name for table in new}
    gone = [
        ops.DropConstraintOp(conv(name), table, type_="check")
        for (table, name), said in there.items()
        if wanted.get((table, name)) != said
    ]
    come = [
        ops.CreateCheckConstraintOp(conv(name), table, text(said.removeprefix("CHECK ")))
        for (table, name), said in wanted.items()
        if table not in made and there.get((table, name)) != said
    ]
    return [*gone, *come]


def _of_the_kit(service: Service, new: Sequence[Table]) -> Sequence[ops.MigrateOperation]:
    tenants = [table.name for table in new if table.name not in service.platform_tables]
    ledgers = [table.name for table in new if table.info.get("insert_only")]
    read = [(table.name, str(table.info["read_by"])) for table in new if "read_by" in table.info]
    return [
        *([KitOperation("tenant_tables", *tenants)] if tenants else ()),
        *([KitOperation("insert_only", *ledgers)] if ledgers else ()),
        *(KitOperation("operator_reads", *names) for names in read),
    ]


def _written(
    connection: Connection, service: Service, found: Sequence[ops.MigrateOperation], message: str
) -> tuple[str, str]:
    metadata = service.metadata
    assert metadata is not None
    versions = ScriptDirectory.from_config(
        alembic_config(connection, migrations_of(service), metadata, "alembic_version")
    )
    head = versions.get_current_head()
    number = 1 if head is None else int(head.rsplit("_", 1)[1]) + 1
    options: dict[str, Any] = {
        "sqlalchemy_module_prefix": "sa.",
        "alembic_module_prefix": "op.",
        "user_module_prefix": None,
        "render_item": _item,
        "render_as_batch": False,
    }
    context = AutogenContext(MigrationContext.configure(connection), metadata, options)
    body = "\n".join(render_op_text(context, operation) for operation in found)
    written = _TEMPLATE.format(
        message=message.rstrip("."),
        imports="\n".join(sorted(context.imports)),
        revision=f"{service.name}_{number:04}",
        parent=repr(head),
        body=body.replace(", unique=False", "").replace("\n", "\n    "),
    )
    words = "_".join(re.findall("[a-z0-9]+", message.lower()))[:40]
    return f"{number:04}_{service.name if head is None else words}.py", written


def _item(kind: str, item: Any, context: AutogenContext) -> str | bool:
    if kind == "type" and isinstance(item, JSONB):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return "postgresql.JSONB()"
    return False


async def _drop(admin_url: str, name: str) -> None:
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await admin.close()
