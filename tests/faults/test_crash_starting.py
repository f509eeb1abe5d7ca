"""Whoever dies while something is being set up leaves nothing in the way: the same command, or the supervisor, completes it."""

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asking import free_port, listens
from failpoints import Failpoint
from forkserver import ForkServer

from tailrace.core.names import slot_name
from tailrace_testing import Harness
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import eventually

PREPARING = {
    "database made, not migrated": Failpoint("tailrace.runtime.migrate:migrate"),
    "in the kit's first migration": Failpoint("tailrace.db.row_security:insert_only", "after"),
    "between the kit's migrations and the service's": Failpoint("tailrace.runtime.migrate:migrations_of"),
    "migrated, without a slot": Failpoint("tailrace.runtime.migrate:_ensure_capture"),
}
_SHAPE = """
SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT format('%s.%s %s %s', table_name, column_name, data_type, is_nullable) AS line
        FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT format('%s %s %s', relname, relrowsecurity, relforcerowsecurity) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s %s', relname, grantee::regrole, privilege_type)
        FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'public'::regnamespace AND grantee > 0
    UNION ALL SELECT format('%s %s %s %s', tablename, policyname, qual, with_check) FROM pg_policies
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT format('%s %s', pubname, tablename) FROM pg_publication_tables
    UNION ALL SELECT 'kit ' || version_num FROM alembic_version_kit
    UNION ALL SELECT 'toy ' || version_num FROM alembic_version
) AS lines
"""


@pytest.fixture
async def settings(databases: Databases, toy: Harness) -> AsyncIterator[dict[str, Any]]:
    """For a database of the toy's own name, which is gone again afterwards."""
    yield {"postgres": databases.settings.postgres, "secret": databases.settings.secret}
    admin = await asyncpg.connect(databases.settings.postgres)
    slot = slot_name(toy.service.name)
    await admin.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", slot
    )
    await admin.close()
    await databases.drop(toy.service.name)


@pytest.mark.parametrize("where", PREPARING)
async def test_preparing_a_database_is_completed_by_doing_it_again(
    where: str, toy: Harness, forkserver: ForkServer, settings: dict[str, Any]
) -> None:
    await forkserver.start("prepare", [PREPARING[where]], service="toy", settings=settings).struck()
    assert await forkserver.start("prepare", service="toy", settings=settings).ended() == 0
    made = await asyncpg.connect(settings["postgres"].rsplit("/", 1)[0] + "/toy")
    try:
        shape = await made.fetchval(_SHAPE)
        assert shape == await toy.admin.fetchval(_SHAPE)
        assert "note.text" in shape
        slots = await made.fetch("SELECT slot_name FROM pg_replication_slots WHERE database = 'toy'")
        assert [row["slot_name"] for row in slots] == [slot_name(toy.service.name)]
    finally:
        await made.close()


STARTING = {
    "forked": Failpoint("tailrace.runtime.fleet:_serve"),
    "serving": Failpoint("tailrace.runtime.process:build_app", "after"),
}


@pytest.mark.parametrize("where", STARTING)
async def test_a_child_killed_while_it_starts_comes_back(where: str, forkserver: ForkServer, tmp_path: Path) -> None:
    ports = {"one": free_port(), "two": free_port()}
    once = str(tmp_path / "struck")
    point = Failpoint(STARTING[where].where, STARTING[where].when, once=once)
    supervisor = forkserver.start("fleet", [point], settings={"data": str(tmp_path), "ports": ports})

    async def restarts() -> list[int]:
        path = tmp_path / "run" / "fleet.json"
        return sorted(child["restarts"] for child in json.loads(path.read_text()).values()) if path.exists() else []

    try:
        await eventually(restarts, lambda found: found == [0, 1], what="one restart")
        for port in ports.values():
            await listens(port)
        assert await restarts() == [0, 1]
        supervisor.signal(signal.SIGTERM)
        assert await supervisor.ended() == 0
    finally:
        await supervisor.kill()
