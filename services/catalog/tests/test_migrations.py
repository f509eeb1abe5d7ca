"""Rows of an earlier version come into the spelling of this one, or the migration says which table cannot."""

import shutil
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from catalog.service import service
from tailrace.core.ids import uuid7
from tailrace.core.values.text import folded
from tailrace.runtime.migrate import migrations_of, prepare_database
from tailrace_testing.databases import Databases

_INSERT = "INSERT INTO warehouse (tenant_id, id, code, name, active, version) VALUES ($1, $2, $3, $4, true, 1)"


async def _before(databases: Databases, name: str, tmp_path: Path, *codes: str, migration: str = "0001") -> UUID:
    """A database as that migration, the first, leaves it, with warehouses of these codes; their tenant."""
    tenant, folder = uuid7(), tmp_path / service.name
    folder.mkdir()
    for each in migrations_of(service).glob("0*.py"):
        if each.name[:4] <= migration:
            shutil.copy(each, folder)
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


async def test_a_key_is_what_python_makes_of_the_code(databases: Databases, tmp_path: Path) -> None:
    """Whatever PostgreSQL makes of capitals, which in a locale of `C` is nothing."""
    name, codes = f"catalog_{uuid7().hex}", ["İ1", "I2", "ÄÖ", "ẞ4", "ΑΣ", "Ꭰ6", "plain", "ﬀ8"]
    await _before(databases, name, tmp_path, *codes)
    await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    admin = await asyncpg.connect(databases.admin_url(name))
    keys = [row["code_key"] for row in await admin.fetch("SELECT code_key FROM warehouse ORDER BY id")]
    assert await admin.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'warehouse'") is True
    await admin.close()
    await databases.drop(name)
    assert keys == [folded(code) for code in codes]


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


_UNIT = "INSERT INTO unit (tenant_id, id, code, name, dimension, factor, decimals, version) VALUES ($1, $2, $3, $4, $5, 1, 0, 1)"
_ITEM = (
    "INSERT INTO item (tenant_id, id, sku, code_key, name, kind, unit, conversions, tax_rate, valuation, active, version)"
    " VALUES ($1, $2, 'SAND', 'sand', $3, 'stock', $4, $5, 0, 'fifo', true, 1)"
)


async def test_units_and_what_is_counted_in_them_are_spelled_again(databases: Databases, tmp_path: Path) -> None:
    name = f"catalog_{uuid7().hex}"
    tenant = await _before(databases, name, tmp_path, migration="0005")
    admin = await asyncpg.connect(databases.admin_url(name))
    for code, called in (
        ("㎏", "Kilo\u0301"),
        ("sac\u0301", "Sack"),
        ("b\u200bx", "Box\u202e"),
        ("mm", "mm"),
        ("Mm", "Mm"),
    ):
        await admin.execute(_UNIT, tenant, uuid7(), code, called, "mass")
    conversions = '[{"unit": "sac\u0301", "factor": "25.50"}, {"unit": "t", "factor": "1000"}]'
    await admin.execute(_ITEM, tenant, uuid7(), "Sande\u0301", "㎏", conversions)
    # A spelling that another tenant has is nobody else's.
    await admin.execute(_UNIT, uuid7(), uuid7(), "kg", "Kilo", "mass")
    await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    units = await admin.fetch("SELECT code, name FROM unit WHERE tenant_id = $1 ORDER BY id", tenant)
    item = await admin.fetchrow("SELECT name, unit, conversions::text FROM item")
    forced = "SELECT count(*) FROM pg_class WHERE relname IN ('unit', 'item', 'warehouse') AND relforcerowsecurity"
    assert await admin.fetchval(forced) == 3
    await admin.close()
    await databases.drop(name)
    assert [tuple(row) for row in units] == [
        ("kg", "Kiló"),
        ("sać", "Sack"),
        ("b\u200bx", "Box\u202e"),  # what nobody sees is not taken away unseen
        ("mm", "mm"),
        ("Mm", "Mm"),
    ]
    assert (item["name"], item["unit"]) == ("Sandé", "kg")
    assert item["conversions"] == '[{"unit": "sać", "factor": "25.50"}, {"unit": "t", "factor": "1000"}]'


async def test_two_spellings_of_one_unit_stop_it_and_nothing_is_changed(databases: Databases, tmp_path: Path) -> None:
    name = f"catalog_{uuid7().hex}"
    tenant = await _before(databases, name, tmp_path, migration="0005")
    admin = await asyncpg.connect(databases.admin_url(name))
    for code in ("㎏", "kg", "㎜"):
        await admin.execute(_UNIT, tenant, uuid7(), code, code, "mass")
    with pytest.raises(IntegrityError, match="ix_unit_tenant_id_code"):
        await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    codes = [row["code"] for row in await admin.fetch("SELECT code FROM unit ORDER BY id")]
    forced = "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'unit'"
    assert await admin.fetchval(forced) is True
    await admin.close()
    await databases.drop(name)
    assert codes == ["㎏", "kg", "㎜"]
