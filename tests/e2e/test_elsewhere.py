"""The command line, told nothing but addresses and credentials, as in a cluster: a folder without a stack, and a file that says where all is."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asking import free_port
from command import Command
from company import Company

from tailrace.core.installed import stand_ins
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway

pytestmark = pytest.mark.operates


class Elsewhere:
    """Runs `tailrace …` in an empty folder, with the file alone."""

    def __init__(self, fleet: Stack, folder: Path) -> None:
        plan, credentials = fleet.plan, fleet.supervisor.credentials
        found = fleet.environment
        self.addresses = {
            "TAILRACE_POSTGRES": fleet.postgres_url,
            "TAILRACE_KAFKA": plan.services_kafka,
            "TAILRACE_CONNECT": found["TAILRACE_CONNECT"],
            "TAILRACE_SECRET": credentials.secret,
            "TAILRACE_GATEWAY": plan.gateway_url,
            "TAILRACE_OPERATOR_PASSWORD": credentials.operator,
            "TAILRACE_UPSTREAMS": json.dumps(
                {name: f"http://127.0.0.1:{port}" for name, port in plan.ports.services.items()}
            ),
        }
        for name in ("TAILRACE_CAPTURE_HOST", "TAILRACE_CAPTURE_SECRETS"):
            if found.get(name):
                self.addresses[name] = found[name]
        self._folder = folder

    def start(self, *arguments: object, **other: str) -> Command:
        file = self._folder / "platform.env"
        lines = [f"{name}={value}" for name, value in {**self.addresses, **other}.items() if value]
        file.write_text("# Where it is\n\n" + "\n".join(lines) + "\n")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
        where = {"TAILRACE_PLATFORM": str(file), "TAILRACE_DATA": str(self._folder / "none")}
        return Command(arguments, clean | where, self._folder)

    async def __call__(self, *arguments: object, **other: str) -> tuple[int, str]:
        return await self.start(*arguments, **other).ended()


@pytest.fixture
def elsewhere(fleet: Stack, tmp_path: Path) -> Elsewhere:
    return Elsewhere(fleet, tmp_path)


async def test_status_tells_parts_services_and_connectors(fleet: Stack, elsewhere: Elsewhere) -> None:
    code, said = await elsewhere("status", "--json")
    found: dict[str, Any] = json.loads(said)
    assert (code, found["ready"]) == (0, True), said
    assert {name: each["fault"] for name, each in found["parts"].items()} == dict.fromkeys(
        ("postgres", "kafka", "connect")
    )
    assert found["services"].keys() == fleet.plan.ports.services.keys() - set(stand_ins().values())
    assert {each["state"] for each in found["connectors"].values()} == {"RUNNING"}
    assert fleet.supervisor.credentials.connect not in said


async def test_what_does_not_answer_is_named(elsewhere: Elsewhere) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    code, said = await elsewhere("status", TAILRACE_CONNECT=nowhere)
    assert (code, nowhere.removeprefix("http://") in said, "nothing is known: a part does not answer" in said) == (
        1,
        True,
        True,
    ), said
    code, said = await elsewhere("doctor", TAILRACE_CONNECT=nowhere)
    assert (code, "✗ connect at" in said, "✓ kafka at" in said) == (1, True, True), said
    code, said = await elsewhere("dlq", "list", TAILRACE_KAFKA="")
    assert (code, "TAILRACE_KAFKA is not set" in said) == (1, True), said


async def test_doctor_looks_at_the_platform_and_not_at_this_machine(elsewhere: Elsewhere) -> None:
    _, said = await elsewhere("doctor")
    for words in (
        "postgres at",
        "wal_level is logical",
        "replication slots are free",
        "topics are there",
        "connectors carry events to Kafka",
    ):
        assert words in said, said
    assert "of memory" not in said


async def test_commands_find_events_keys_dead_letters_and_read_models(gateway: Gateway, elsewhere: Elsewhere) -> None:
    company = await Company.found(gateway)
    tenant = str(company.member.tenant_id)
    code, said = await elsewhere("events", "tail", "catalog.events", "--from-start", "-n", 1)
    assert (code, "catalog." in said) == (0, True), said
    code, said = await elsewhere("keys", "list")
    assert (code, "signs since" in said) == (0, True), said
    assert (await elsewhere("dlq", "list", "--tenant", tenant)) == (0, "Nothing like that is dead-lettered.\n")
    code, said = await elsewhere("rebuild", "orders.catalog", "--check")
    assert "Nothing was changed." in said, said
    code, said = await elsewhere("verify", "inventory", "--tenant", tenant)
    assert (code, f"inventory {tenant}" in said) == (0, True), said


async def test_one_of_several_watches_leads_and_another_takes_over(elsewhere: Elsewhere) -> None:
    async with _watching(elsewhere) as first:
        await _until(first, "This watch leads.")
        async with _watching(elsewhere) as second:
            await _until(second, "Watching ")
            first.signal(signal.SIGKILL)
            await _until(second, "This watch leads.")


@asynccontextmanager
async def _watching(elsewhere: Elsewhere) -> AsyncIterator[Command]:
    watch = elsewhere.start("capture", "watch")
    try:
        yield watch
    finally:
        watch.signal(signal.SIGKILL)
        await watch.ended()


async def _until(watch: Command, words: str) -> None:
    async with asyncio.timeout(120):
        while words not in (line := await watch.line()):
            assert line, f"it ended before it said {words}"
