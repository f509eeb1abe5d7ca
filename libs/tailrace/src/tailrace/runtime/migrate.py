"""A service's database from nothing to current: roles with no more rights than they need, then the kit's migrations, then its own.

Everything here may run again and changes nothing the second time.
"""

import os
import sys
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tailrace.capture.slots import RELEASED
from tailrace.core.addresses.database import for_engine, in_database
from tailrace.core.names import slot_name
from tailrace.db import migrations, tables
from tailrace.service import Service
from tailrace.settings import Role, Settings

_ATTRIBUTES: dict[Role, str] = {"owner": "", "app": "", "capture": "REPLICATION"}
_KIT = Path(migrations.__file__).parent


async def prepare_database(admin_url: str, service: Service, settings: Settings, *, name: str | None = None) -> None:
    """Create roles and database where they are missing, and migrate. `name` puts the database under another name (tests).

    Raises whatever PostgreSQL answers; nothing is left half-migrated, since each migration is one transaction.
    """
    if service.metadata is None:
        return
    database = name or service.name
    admin = await asyncpg.connect(admin_url)
    try:
        # One at a time: PostgreSQL refuses some of this to the second caller instead of letting it wait.
        await admin.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", f"tailrace.prepare/{service.name}")
        for role, attributes in _ATTRIBUTES.items():
            await _ensure_role(admin, f"{service.name}_{role}", attributes, settings)
        if not await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
            await admin.execute(f'CREATE DATABASE "{database}" OWNER "{service.name}_owner"')
        await admin.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
        for role in ("app", "capture"):
            await admin.execute(f'GRANT CONNECT ON DATABASE "{database}" TO "{service.name}_{role}"')
        await migrate(service, in_database(settings.database(service.name, "owner"), database))
        if name is None:
            # It was uninstalled before (`tailrace.capture.release`), and is looked after again.
            await admin.execute(f'ALTER DATABASE "{database}" RESET {RELEASED}')
            await _ensure_capture(in_database(admin_url, database), service)
    finally:
        await admin.close()


async def migrate(service: Service, owner_url: str) -> None:
    """Bring the tables up to date, as the owner role."""
    assert service.metadata is not None
    url, tls = for_engine(owner_url)
    engine = create_async_engine(url, poolclass=NullPool, connect_args=tls)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("SET lock_timeout = '10s'")
            await connection.run_sync(_grant_by_default, service.name)
            await connection.run_sync(_upgrade, _KIT / "versions", tables.metadata, "alembic_version_kit")
            await connection.run_sync(_upgrade, migrations_of(service), service.metadata, "alembic_version")
    finally:
        await engine.dispose()


def migrations_of(service: Service) -> Path:
    """`services/<name>/migrations`, found beside the service's source; in an image, `$TAILRACE_MIGRATIONS/<name>`."""
    if folder := os.environ.get("TAILRACE_MIGRATIONS"):
        return Path(folder) / service.name
    package = sys.modules[service.name]
    assert package.__file__ is not None
    return Path(package.__file__).parents[2] / "migrations"


def alembic_config(connection: Connection, versions: Path, metadata: MetaData, version_table: str) -> Config:
    config = Config()
    # Alembic's options are interpolated, and paths split: a checkout may lie under a name with % or : in it.
    config.set_main_option("script_location", str(_KIT).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, metadata=metadata, version_table=version_table)
    return config


def _upgrade(connection: Connection, versions: Path, metadata: MetaData, version_table: str) -> None:
    command.upgrade(alembic_config(connection, versions, metadata, version_table), "head")


def _grant_by_default(connection: Connection, service: str) -> None:
    for statement in (
        f'GRANT USAGE ON SCHEMA public TO "{service}_app", "{service}_capture"',
        f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{service}_app"',
        f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO "{service}_app"',
    ):
        connection.exec_driver_sql(statement)


async def _ensure_role(admin: Any, role: str, attributes: str, settings: Settings) -> None:
    password = settings.role_password(role)
    known = await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if known else "CREATE"
    limits = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
    # The password is our own hexadecimal; role names come from manifests. DDL takes no parameters.
    await admin.execute(f"{verb} ROLE \"{role}\" LOGIN {limits} {attributes} PASSWORD '{password}'")


async def _ensure_capture(url: str, service: Service) -> None:
    """A slot before the first row is written: what was committed while none existed would never be captured.

    Where rows are and no slot, it was lost: that takes a repair (`tailrace.capture.repair`), and a new slot made here would hide it.

    The capture role may log a snapshot, so that its heartbeat lets go of the write-ahead log without waiting for the next checkpoint.
    """
    slot = slot_name(service.name)
    admin = await asyncpg.connect(url)
    try:
        await admin.execute(f'GRANT EXECUTE ON FUNCTION pg_log_standby_snapshot() TO "{service.name}_capture"')
        missing = not await admin.fetchval("SELECT true FROM pg_replication_slots WHERE slot_name = $1", slot)
        if missing and not await admin.fetchval("SELECT true FROM outbox LIMIT 1"):
            await admin.execute("SELECT pg_create_logical_replication_slot($1, 'pgoutput', failover => true)", slot)
    finally:
        await admin.close()
