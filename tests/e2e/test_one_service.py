"""`tailrace prepare` and `tailrace serve`: one service as a container runs it, told by the environment alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from asking import free_port

from tailrace.settings import Settings
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import eventually


def _tailrace(stack: Stack, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    supervisor = stack.supervisor
    environment = {**os.environ, **supervisor.plan.environment(supervisor.credentials), **settings}
    command = [sys.executable, "-m", "tailrace.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@contextmanager
def _serving(stack: Stack, part: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    port = free_port()
    settings = Settings(postgres=stack.postgres_url, secret=stack.supervisor.credentials.secret)
    url = settings.database("catalog")
    # In a cluster a service is handed its own role, and neither the superuser's address nor the fleet's secret.
    own = {"TAILRACE_DATABASE_URL": url, "TAILRACE_POSTGRES": "", "TAILRACE_SECRET": "of-catalog-alone"}
    process = _tailrace(stack, "serve", "catalog", "--port", str(port), "--part", part, **own)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


def test_preparing_what_is_prepared_changes_nothing(fleet: Stack) -> None:
    process = _tailrace(fleet, "prepare", "catalog")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "databases ready: 1 prepared" in said
    assert "3 topics, 0 new" in said
    assert "connectors ready: 1 running" in said


def test_an_unknown_service_is_named(fleet: Stack) -> None:
    process = _tailrace(fleet, "prepare", "catalogue")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "there is no service catalogue here" in said


@pytest.mark.parametrize("part", ["api", "consumer"])
async def test_a_part_serves_alone_and_stops_when_asked(fleet: Stack, part: str) -> None:
    with _serving(fleet, part) as (address, process):
        async with httpx2.AsyncClient(base_url=address) as client:

            async def ready() -> int:
                try:
                    return (await client.get("/health/ready")).status_code
                except httpx2.TransportError:
                    return 0

            await eventually(ready, lambda status: status == 200)
            assert (await client.get("/v1/items")).status_code == 401
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0, said


def test_the_secret_of_a_service_opens_its_own_database_and_tells_nothing_of_the_fleet(fleet: Stack) -> None:
    process = _tailrace(fleet, "secret", "catalog")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    values = json.loads(said)["stringData"]
    settings = Settings(postgres=fleet.postgres_url, secret=fleet.supervisor.credentials.secret)
    assert values["database-url"] == settings.database("catalog")
    assert fleet.supervisor.credentials.secret not in said
    assert values["secret"] not in {settings.secret, settings.own_secret("orders")}
