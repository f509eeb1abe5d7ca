"""Rows of an earlier version come into the spelling of this one, or the migration says which table cannot."""

import shutil
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from catalog.service import service
from tailrace.core.ids import uuid7
from tailrace.runtime.migrate import migrations_of, prepare_database
from tailrace_testing.databases import Databases

_INSERT = "INSERT INTO warehouse (tenant_id, id, code, name, active, version) VALUES ($1, $2, $3, $4, true, 1)"


async def _before(databases: Databases, name: str, tmp_path: Path, *codes: str) -> UUID:
    """A database as the first migration makes it, with warehouses of these codes; their tenant."""
    tenant, folder = uuid7(), tmp_path / service.name
    folder.mkdir()
    shutil.copy(migrations_of(service) / "0001_catalog.py", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILRACE_MIGRATIONS", str(tmp_path))
        await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    admin = await asyncpg.connect(databases.admin_url(name))
    for code in codes:
        await admin.execute(_INSERT, tenant, uuid7(), code, "Cafe\u0301")
    await admin.close()
    return tenant


async def test_codes_get_their_key_and_one_spelling(databases: Databases, tmp_path: Path) -> None:
    name = f"catalog_{uuid7().hex}"
    await _before(databases, name, tmp_path, "Cafe\u0301", "ＭAIN", "Straße")
    await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    admin = await asyncpg.connect(databases.admin_url(name))
    rows = await admin.fetch("SELECT code, code_key, name FROM warehouse ORDER BY id")
    await admin.close()
    await databases.drop(name)
    assert [tuple(row) for row in rows] == [
        ("Café", "café", "Café"),
        ("MAIN", "main", "Café"),
        ("Straße", "strasse", "Café"),
    ]


async def test_two_spellings_of_one_code_stop_it_and_nothing_is_changed(databases: Databases, tmp_path: Path) -> None:
    name = f"catalog_{uuid7().hex}"
    await _before(databases, name, tmp_path, "Cafe\u0301", "CAFÉ")
    with pytest.raises(IntegrityError, match="ix_warehouse_tenant_id_code_key"):
        await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    admin = await asyncpg.connect(databases.admin_url(name))
    codes = [row["code"] for row in await admin.fetch("SELECT code FROM warehouse ORDER BY id")]
    await admin.close()
    await databases.drop(name)
    assert codes == ["Cafe\u0301", "CAFÉ"]
