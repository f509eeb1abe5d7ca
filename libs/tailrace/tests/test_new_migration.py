"""A migration that is written from the models makes what the models say, the kit's part included, and says nothing when there is nothing to say."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, Index, MetaData, Table, Text, Uuid, text
from sqlalchemy.ext.asyncio import create_async_engine
from toy import Base, service

from tailrace.codegen.migrations import checks, next_migration
from tailrace.core.ids import uuid7
from tailrace.db.row_security import INSERT_ONLY, read_by
from tailrace.db.tables import NAMING
from tailrace.service import Service
from tailrace_testing.databases import Databases

OPERATOR = uuid7()


def changed() -> MetaData:
    """The toy's models a little later: a column, a wider check, another index, a ledger and a platform table."""
    metadata = MetaData(naming_convention=NAMING)
    for table in Base.metadata.tables.values():
        table.to_metadata(metadata)
    label = metadata.tables["label"]
    label.append_column(Column("color", Text))
    (tone,) = (c for c in label.constraints if isinstance(c, CheckConstraint))
    label.constraints.remove(tone)
    label.append_constraint(CheckConstraint("tone IN ('plain', 'loud', 'shrill')", name="tone"))
    Index(None, label.c.tenant_id, label.c.color, postgresql_where=text("deleted_at IS NULL"))
    key = Column("tenant_id", Uuid, primary_key=True), Column("id", Uuid, primary_key=True)
    Table("entry", metadata, *key, **INSERT_ONLY)
    Table("company", metadata, Column("tenant_id", Uuid, primary_key=True), **read_by(OPERATOR))
    Table("home", metadata, Column("slug", Text, primary_key=True), Column("tenant_id", Uuid))
    return metadata


async def write(databases: Databases, toy: Service, message: str) -> str | None:
    made = await next_migration(toy, databases.admin_url("postgres"), databases.settings, message)
    if made is None:
        return None
    path, written = made
    path.write_text(written)
    return f"{path.name}\n{written}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the toy's migrations are looked for, empty to begin with."""
    monkeypatch.setenv("TAILRACE_MIGRATIONS", str(tmp_path))
    (tmp_path / "toy").mkdir()
    return tmp_path / "toy"


async def test_the_first_makes_all_and_the_next_what_changed(databases: Databases, folder: Path) -> None:
    first = await write(databases, service, "Notes and labels.")
    assert first is not None
    assert first.startswith('0001_toy.py\n"""Notes and labels."""\n')
    assert 'revision = "toy_0001"' in first
    assert re.search(r"tenant_tables\(op, .*'label'", first)
    assert "insert_only(op, 'count_event')" in first
    assert "ck_label_tone" in first
    assert await write(databases, service, "Nothing") is None

    later = replace(service, metadata=changed(), subscribers=[], routers=[], platform_tables=frozenset({"home"}))
    second = await write(databases, later, "Labels have a colour, and a shrill tone")
    assert second is not None
    assert second.startswith("0002_labels_have_a_colour_and_a_shrill_tone.py")
    assert "down_revision = 'toy_0001'" in second
    assert "shrill" in second
    (guarded,) = re.findall(r"tenant_tables\(op, (.*)\)", second)
    assert sorted(guarded.split(", ")) == ["'company'", "'entry'"]
    assert "insert_only(op, 'entry')" in second
    assert f"operator_reads(op, 'company', '{OPERATOR}')" in second
    assert "'note'" not in second
    assert await write(databases, later, "Nothing") is None


async def test_a_check_that_allows_less_than_the_models_is_found(databases: Databases) -> None:
    name = await databases.clone(service)
    engine = create_async_engine(databases.admin_url(name).replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with engine.connect() as connection:
            there, wanted = await connection.run_sync(checks, changed())
    finally:
        await engine.dispose()
        await databases.drop(name)
    assert list(there) == list(wanted) == [("label", "ck_label_tone")]
    assert "shrill" in wanted["label", "ck_label_tone"]
    assert "shrill" not in there["label", "ck_label_tone"]
