"""Backups of a stack that is PostgreSQL alone: a copy under writes, moments to go back to, and what is refused."""

import asyncio
import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack import control
from tailrace.stack.backup import moments, restore, take
from tailrace.stack.backup.folder import MANIFEST, PART, Backups, Manifest, Target
from tailrace.stack.backup.series import Series
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout

_COUNT = "SELECT count(*) FROM told"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("machine")
    for each in (folder, *list(folder.parents)[:2]):
        each.chmod(0o755)
    with Stack(folder / "data", only="postgres") as stack:
        asyncio.run(_execute(stack, "CREATE TABLE told (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT clock_timestamp())"))
        yield stack
    stack.discard()


@pytest.fixture(scope="module")
def backups(machine: Stack) -> Backups:
    folder = machine.plan.layout.data.with_name("backups")
    (machine.plan.layout.data / "files/files").mkdir(parents=True)
    (machine.plan.layout.data / "files/files/first").write_bytes(b"one")
    backups = Backups(folder)
    asyncio.run(_traffic_while_taken(machine, backups))
    return backups


async def _traffic_while_taken(machine: Stack, backups: Backups) -> None:
    """Rows are written all the time, so that the copy is of files that change."""

    async def write() -> None:
        connection = await asyncpg.connect(machine.postgres_url)
        try:
            while not done.is_set():
                await connection.execute("INSERT INTO told SELECT FROM generate_series(1, 50)")
        finally:
            await connection.close()

    done = asyncio.Event()
    writer = asyncio.create_task(write())
    await taken(machine, backups)
    done.set()
    await writer


async def taken(machine: Stack, backups: Backups, keep: int = 7) -> Manifest:
    return (await take.take(machine.plan, machine.supervisor.credentials, backups, keep, lambda said: None)).manifest


async def _execute(stack: Stack, statement: str) -> Any:
    connection = await asyncpg.connect(stack.postgres_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@contextmanager
def restored(backups: Backups, tmp_path: Path, at: datetime | None) -> Iterator[Stack]:
    for each in (tmp_path, *list(tmp_path.parents)[:2]):
        each.chmod(0o755)
    layout = Layout(tmp_path / "restored")
    choice = restore.choose(backups, at)
    restore.check(choice, backups, layout)
    restore.restore(choice, backups, layout, lambda said: None)
    with Stack(layout.data, only="postgres") as stack:
        yield stack
    stack.discard()


def test_point_in_time(machine: Stack, backups: Backups, tmp_path: Path) -> None:
    """What was answered before the moment is there, and nothing of after it; files as of then; and a whole machine is no longer needed."""
    store = machine.plan.layout.data / "files/files"

    async def go_on() -> tuple[datetime, int]:
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 7)")
        (store / "second").write_bytes(b"two")
        at, count = await _execute(machine, "SELECT clock_timestamp()"), await _execute(machine, _COUNT)
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 1000)")
        (store / "third").write_bytes(b"three")
        assert await moments.keep_moment(machine.plan, machine.supervisor.credentials) is not None
        return at, count

    at, count = asyncio.run(go_on())
    with restored(backups, tmp_path, at) as stack:
        assert asyncio.run(_execute(stack, _COUNT)) == count
        assert {each.name for each in (stack.plan.layout.data / "files/files").iterdir()} == {"first", "second"}
        # It archives nowhere until its first backup, so that two machines never write one series.
        assert asyncio.run(_execute(stack, "SHOW archive_command")) == "/bin/true"
        assert Target.load(stack.plan.layout) is None
        assert asyncio.run(_execute(stack, "SELECT timeline_id FROM pg_control_checkpoint()")) == 2
        assert asyncio.run(_execute(stack, "SELECT pg_current_xact_id() IS NOT NULL"))


def test_latest(machine: Stack, backups: Backups, tmp_path: Path) -> None:
    """The newest moment holds all that was committed before it began."""

    async def go_on() -> int:
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 13)")
        count: int = await _execute(machine, _COUNT)
        await moments.keep_moment(machine.plan, machine.supervisor.credentials)
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 13)")
        return count

    count = asyncio.run(go_on())
    with restored(backups, tmp_path, None) as stack:
        assert asyncio.run(_execute(stack, _COUNT)) == count
