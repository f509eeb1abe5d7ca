"""A process stops without losing what it was asked, says when it cannot start, and is never left behind nor restarted in a frenzy."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from asking import free_port

from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

_SERVE = """
import sys
from dataclasses import replace
from uuid import UUID
from fastapi import APIRouter, Request
from sqlalchemy import text
from tailrace.core.context import Context
from tailrace.runtime.process import run
from tailrace.settings import Settings
from toy import Note, service

router = APIRouter()

@router.post("/slow/{tenant}")
async def slow(request: Request, tenant: UUID) -> str:
    async with request.app.state.database.transaction(Context(tenant_id=tenant)) as tx:
        tx.add(Note.write("slowly"))
        await tx.flush()
        await tx.execute(text("SELECT pg_sleep(2)"))
    return "done"

run(replace(service, routers=[router]), Settings(), int(sys.argv[1]), parts=frozenset({"api"}))
"""

_FLEET = """
import sys
from fastapi import FastAPI
from tailrace.runtime.fleet import Fleet
from tailrace.service import Service
from tailrace.settings import Settings

def broken(settings: Settings) -> FastAPI:
    raise RuntimeError("cannot be built")

services = [Service(name="steady", build=lambda settings: FastAPI()), Service(name="broken", build=broken)]
Fleet(services, Settings()).run()
"""

_ADOPTED = """
import os, sys
from tailrace.runtime.fleet import _die_with
real = os.getppid()
os.getppid = lambda: 1
_die_with(1)
print("alive", flush=True)
_die_with(real)
print("still alive", flush=True)
"""


def _run(script: str, *arguments: str, **settings: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **{f"TAILRACE_{name.upper()}": value for name, value in settings.items()}}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen([sys.executable, "-c", script, *arguments], env=environment, stdout=subprocess.DEVNULL)


async def _until(holds: Callable[[], bool], what: str, within: float = 90) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about within {within} s"
        await asyncio.sleep(0.02)


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health/live", timeout=1).status_code < 500
    except httpx2.TransportError:
        return False


@asynccontextmanager
async def _serving(toy: Harness) -> AsyncIterator[tuple["subprocess.Popen[bytes]", int]]:
    port = free_port()
    process = _run(_SERVE, str(port), database_url=toy.settings.database_url or "")
    try:
        await _until(lambda: _answers(port), "the service's first answer")
        yield process, port
    finally:
        process.kill()
        process.wait()


async def test_a_stop_lets_requests_finish(toy: Harness) -> None:
    async with _serving(toy) as (process, port), httpx2.AsyncClient(timeout=60) as client:
        asking = [asyncio.create_task(client.post(f"http://127.0.0.1:{port}/slow/{toy.tenant}")) for _ in range(3)]
        await eventually(lambda: _asleep(toy), lambda count: count == 3, what="three requests under way")
        process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*asking)
        assert await asyncio.to_thread(process.wait, 60) == 0
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(await toy.published("note.written")) == 3


async def _asleep(toy: Harness) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    return int(await toy.admin.fetchval(query))


async def test_a_port_that_is_taken_ends_the_process(toy: Harness) -> None:
    async with _serving(toy) as (_, port):
        second = _run(_SERVE, str(port), database_url=toy.settings.database_url or "")
        assert await asyncio.to_thread(second.wait, 60) != 0


@pytest.fixture
async def fleet_of_two(tmp_path: Path) -> AsyncIterator[tuple["subprocess.Popen[bytes]", Callable[[], Any], int]]:
    """The supervisor, what it says of its children, and the steady one's port."""
    steady, broken = free_port(), free_port()
    ports = json.dumps({"steady": steady, "broken": broken})
    supervisor = _run(_FLEET, data=str(tmp_path), ports=ports)

    def status() -> Any:
        path = tmp_path / "run" / "fleet.json"
        return json.loads(path.read_text()) if path.exists() else {}

    yield supervisor, status, steady
    supervisor.kill()
    supervisor.wait()


async def test_a_child_that_cannot_start_is_tried_less_and_less_often(
    fleet_of_two: tuple["subprocess.Popen[bytes]", Callable[[], Any], int],
) -> None:
    supervisor, status, port = fleet_of_two
    await _until(lambda: _answers(port), "the steady child's answer")
    tries = []
    for number in range(1, 6):
        await _until(lambda number=number: status()["broken"]["restarts"] >= number, "another try")  # type: ignore[misc]
        tries.append(time.monotonic())
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses[-1] > pauses[0] * 1.2
    assert status()["steady"]["restarts"] == 0
    supervisor.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(supervisor.wait, 60) == 0
    assert not _answers(port)


async def test_a_fleet_goes_on_when_its_status_cannot_be_written(
    fleet_of_two: tuple["subprocess.Popen[bytes]", Callable[[], Any], int], tmp_path: Path
) -> None:
    """As on a full disk."""
    supervisor, status, port = fleet_of_two
    await _until(lambda: _answers(port), "the steady child's answer")
    first, in_its_way = status()["steady"]["pid"], tmp_path / "run" / "fleet.part"
    in_its_way.mkdir()
    os.kill(first, signal.SIGKILL)
    await _until(lambda: not _answers(port), "the end of the child")
    await _until(lambda: _answers(port), "the child's successor")
    in_its_way.rmdir()
    await _until(lambda: status()["steady"]["restarts"] == 1, "the status of now")
    assert status()["steady"]["pid"] != first
    assert supervisor.poll() is None


async def test_children_die_with_their_supervisor(
    fleet_of_two: tuple["subprocess.Popen[bytes]", Callable[[], Any], int],
) -> None:
    supervisor, _, port = fleet_of_two
    await _until(lambda: _answers(port), "the steady child's answer")
    supervisor.kill()
    await _until(lambda: not _answers(port), "the end of the child", within=5)


def test_a_supervisor_may_be_process_one() -> None:
    """As the only process of a container; whoever is adopted by it instead ends at once."""
    process = subprocess.run([sys.executable, "-c", _ADOPTED], capture_output=True, text=True, check=False)
    assert (process.stdout.split(), process.returncode) == (["alive"], 1)
