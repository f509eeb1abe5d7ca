"""PostgreSQL alone: durable, never as root, back after a kill, gone when its supervisor is."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack.embedded import Stack
from tailrace.stack.processes import Process


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """As root, pytest's folder is closed to PostgreSQL's user: just what a checkout under `/root` looks like."""
    folder = tmp_path / "data"
    yield folder
    Stack(folder, only="postgres").discard()


async def fetch(url: str, sql: str) -> object:
    """Tried again while the server is coming up."""
    deadline = time.monotonic() + 90
    while True:
        try:
            connection = await asyncpg.connect(url)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            if time.monotonic() > deadline:
                raise
            continue
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


async def test_cluster_is_durable_logical_and_not_root(data: Path) -> None:
    async with Stack(data, only="postgres") as stack:
        url = stack.postgres_url
        assert await fetch(url, "SHOW fsync") == "on"
        assert await fetch(url, "SHOW wal_level") == "logical"
        assert await fetch(url, "SHOW password_encryption") == "scram-sha-256"
        assert await fetch(url, "SHOW listen_addresses") == "127.0.0.1"
        assert (
            await fetch(url, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'")
            == "UTF8"
        )
        assert psutil.Process(stack.pids()["postgres"]).uids().real != 0
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url.replace("postgres:", "postgres:not-"))


async def test_killed_server_comes_back_with_its_data(data: Path) -> None:
    async with Stack(data, only="postgres") as stack:
        await fetch(stack.postgres_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        before = stack.pids()["postgres"]
        os.kill(before, signal.SIGKILL)
        assert await fetch(stack.postgres_url, "SELECT answer FROM kept") == 42
        assert stack.pids()["postgres"] != before
        assert stack.supervisor.board.state.parts["postgres"].restarts == 1


async def test_data_outlives_the_stack_and_the_secret_stays_private(data: Path) -> None:
    async with Stack(data, only="postgres") as stack:
        await fetch(stack.postgres_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert (data / "secrets.json").stat().st_mode & 0o777 == 0o600
    async with Stack(data, only="postgres") as stack:
        assert await fetch(stack.postgres_url, "SELECT answer FROM kept") == 42


async def test_pid_file_of_somebody_else_does_not_block_the_start(data: Path) -> None:
    with Stack(data, only="postgres") as stack:
        cluster = (stack.plan.layout.data / "postgres").resolve()
    stale = f"{os.getpid()}\n{cluster}\n{int(time.time())}\n1\n\n127.0.0.1\n0 0\nready\n"
    (cluster / "postmaster.pid").write_text(stale)
    async with Stack(data, only="postgres") as stack:
        assert await fetch(stack.postgres_url, "SELECT 1") == 1


def test_deleted_data_folder_means_a_new_cluster(data: Path) -> None:
    with Stack(data, only="postgres") as stack:
        asyncio.run(fetch(stack.postgres_url, "CREATE TABLE kept AS SELECT 42 AS answer"))
    files = (data / "postgres").resolve()
    shutil.rmtree(data)
    with Stack(data, only="postgres") as stack:
        assert asyncio.run(fetch(stack.postgres_url, "SELECT to_regclass('kept')")) is None
        assert (data / "postgres").resolve() != files or not (data / "postgres").is_symlink()
    if not files.is_relative_to(data):
        shutil.rmtree(files.parent)


def test_two_supervisors_never_share_a_folder(data: Path) -> None:
    with Stack(data, only="postgres"):
        second = Stack(data, only="postgres")
        with pytest.raises(OperatorError, match="a stack is running"):
            second.start()
        second.stop()


def test_server_ends_when_its_supervisor_is_killed(data: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tailrace.stack.embedded import Stack\n"
        "stack = Stack(Path(sys.argv[1]), only='postgres').start()\n"
        "print(stack.pids()['postgres'], flush=True); input()"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    server = Process.find(int(starter.stdout.readline()))
    assert server is not None
    starter.kill()
    starter.communicate()
    assert server.wait(10)
