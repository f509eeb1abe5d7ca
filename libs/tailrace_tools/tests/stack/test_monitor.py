"""A connector that fails is seen, restarted with growing pauses and reported, on the real Connect; nothing is called well that nobody can see."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg

from tailrace.capture.connect_api import Rest
from tailrace.capture.watch import Condition
from tailrace.cli.health.doctor import not_running
from tailrace.stack.monitor import Monitor
from tailrace.stack.state import Board, Capture, Part, State

NAME = "monitored"


def settings(postgres: str, database: str) -> dict[str, str]:
    """A connector that cannot start until the publication is there."""
    server = urlsplit(postgres)
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "plugin.name": "pgoutput",
        "database.hostname": str(server.hostname),
        "database.port": str(server.port),
        "database.user": str(server.username),
        "database.password": str(server.password),
        "database.dbname": database,
        "topic.prefix": NAME,
        "slot.name": NAME,
        "slot.drop.on.stop": "true",
        "publication.name": NAME,
        "publication.autocreate.mode": "disabled",
        "snapshot.mode": "no_data",
        "errors.max.retries": "0",
    }


async def test_failed_task_is_restarted_until_its_cause_is_gone(
    postgres: str, connect_url: str, tmp_path: Path
) -> None:
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {NAME}")
    board = Board(tmp_path / "state.json", State())
    monitor = Monitor(connect_url, board)
    try:
        async with Rest(connect_url) as rest:
            await rest.put(NAME, settings(postgres, NAME))
            failed = await look_until(monitor, rest, board, lambda capture: capture.restarts >= 2)
            assert "publication" in failed.reason.lower()
            assert board.state.connectors[NAME].restarts < 10, "restarts must be spaced out"

            database = await asyncpg.connect(postgres.rpartition("/")[0] + f"/{NAME}")
            await database.execute(f"CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION {NAME} FOR TABLE t")
            await database.close()
            running = await look_until(monitor, rest, board, lambda capture: capture.state == "RUNNING")
            assert running.restarts >= 2
            assert State.load(board.path) == board.state
    finally:
        async with Rest(connect_url) as rest:
            await rest.delete(NAME)
        await drop(admin)
        await admin.close()


class _Watch:
    """Of a Kafka that does not answer, or does."""

    def __init__(self) -> None:
        self.conditions = {NAME: Condition()}
        self.away = True

    async def look(self, rest: Any, states: Any) -> None:
        if self.away:
            raise ConnectionError("Kafka does not answer")


class _Rest:
    async def statuses(self) -> dict[str, Any]:
        running = {"state": "RUNNING"}
        return {NAME: {"connector": running, "tasks": [running]}}


async def test_what_nobody_can_judge_is_not_called_well(tmp_path: Path) -> None:
    """Connect goes on saying RUNNING while its Kafka is gone."""
    watch, board = _Watch(), Board(tmp_path / "state.json", State())
    monitor, rest = Monitor("", board, cast(Any, watch)), cast(Any, _Rest())
    well = []
    for _ in range(5):
        await monitor.look(rest)
        well.append(board.state.connectors[NAME].well)
    assert well == [True, True, True, False, False]
    assert "Kafka does not answer" in board.state.connectors[NAME].trouble
    watch.away = False
    await monitor.look(rest)
    assert board.state.connectors[NAME].well


def test_a_part_that_does_not_run_any_more_is_a_finding() -> None:
    parts = {"kafka": Part("restarting", "ended with code 1"), "postgres": Part("ready")}
    (found,) = not_running(State(phase="ready", parts=parts))
    assert (found.good, found.text) == (False, "kafka is restarting: ended with code 1")
    assert list(not_running(State(phase="starting", parts=parts))) == []


async def look_until(monitor: Any, rest: Any, board: Any, satisfied: Callable[[Capture], bool]) -> Capture:
    async with asyncio.timeout(300):
        while True:
            await monitor.look(rest)
            capture: Capture = board.state.connectors.get(NAME, Capture("UNKNOWN"))
            if satisfied(capture):
                return capture
            await asyncio.sleep(0.2)


async def drop(admin: asyncpg.Connection) -> None:
    """The slot is free only when the connector's session has ended."""
    async with asyncio.timeout(300):
        while True:
            try:
                await admin.execute(
                    f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{NAME}'"
                )
                await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
                return
            except asyncpg.PostgresError:
                await asyncio.sleep(0.2)
