"""One service as its container runs it: told by the environment alone, with nothing at hand but what the image holds."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import asyncpg
import httpx2
import production
import pytest
from asking import free_port

from tailrace.codegen.locks import extras, head, lock_of, locked
from tailrace.core.installed import installed
from tailrace.settings import Settings
from tailrace.stack.embedded import Stack
from tailrace.stack.state import Capture, State
from tailrace_testing.gateway import eventually

pytestmark = pytest.mark.operates

SERVICES = installed()
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def _in_its_image(stack: Stack, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    return _started(stack, [production.__file__, "catalog", *arguments], **settings)


def _started(stack: Stack, command: list[str], **settings: str) -> "subprocess.Popen[str]":
    supervisor = stack.supervisor
    environment = {**os.environ, **supervisor.plan.environment(supervisor.credentials), **settings}
    return subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def _serving(stack: Stack, part: str, **more: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    port = free_port()
    settings = Settings(postgres=stack.postgres_url, secret=stack.supervisor.credentials.secret)
    url = settings.database("catalog")
    # In a cluster a service is handed its own role, and neither the superuser's address nor the fleet's secret.
    own = {"TAILRACE_DATABASE_URL": url, "TAILRACE_POSTGRES": "", "TAILRACE_SECRET": "of-catalog-alone", **more}
    process = _in_its_image(stack, "serve", "catalog", "--port", str(port), "--part", part, **own)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


def test_preparing_what_is_prepared_changes_nothing(fleet: Stack) -> None:
    process = _in_its_image(fleet, "prepare", "catalog")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "databases ready: 1 prepared" in said
    assert re.search(r"\d topics, 0 new", said), said
    assert "connectors ready: 1 running" in said


def _captures(fleet: Stack) -> dict[str, Capture]:
    state = State.load(fleet.plan.layout.state)
    return {} if state is None else state.connectors


async def test_what_is_released_is_left_alone_by_watches_until_it_is_prepared_again(fleet: Stack) -> None:
    """No watch brings them back; to be prepared again does, with what was recorded meanwhile."""
    for _ in range(2):
        process = _in_its_image(fleet, "release", "catalog")
        said, _ = await asyncio.to_thread(process.communicate, timeout=120)
        assert process.returncode == 0, said
        assert "its connector and its replication slot are removed; the database stays" in said

    admin = await asyncpg.connect(fleet.postgres_url)
    slot = "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'catalog_outbox%'"
    try:
        # Each look at the others that ends later has passed over this one.
        looked = {name: each.arrived_at for name, each in _captures(fleet).items()}

        async def looked_again() -> bool:
            found = _captures(fleet)
            return "catalog" not in found and all(each.arrived_at != looked[name] for name, each in found.items())

        await eventually(looked_again, bool, what="newer canaries of all others")
        assert await admin.fetchval(slot) == 0
        process = _in_its_image(fleet, "prepare", "catalog")
        said, _ = await asyncio.to_thread(process.communicate, timeout=240)
        assert (process.returncode, "rows published again" in said or "connectors ready" in said) == (0, True), said

        async def back() -> bool:
            return "catalog" in (found := _captures(fleet)) and found["catalog"].well and found["catalog"].trouble == ""

        await eventually(back, bool, what="capture of catalog brought back")
        assert await admin.fetchval(slot) == 1
    finally:
        await admin.close()


async def test_metrics_have_a_port_of_their_own_where_one_is_named(fleet: Stack) -> None:
    port = free_port()
    with _serving(fleet, "api", TAILRACE_METRICS_PORT=str(port)) as (address, _):
        async with httpx2.AsyncClient() as client:

            async def scraped() -> str:
                try:
                    await client.get(f"{address}/v1/items")
                    return (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                except httpx2.TransportError:
                    return ""

            await eventually(scraped, lambda shown: "http_server_request_duration_seconds_count" in shown)


def test_an_unknown_service_is_named(fleet: Stack) -> None:
    process = _started(fleet, ["-m", "tailrace.cli", "prepare", "catalogue"])
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "there is no service catalogue here" in said


TOOLS = ("tailrace.stack", "tailrace.codegen", "orders", "rich", "typer", "pytest")
OF_OTHERS = ("typst", "babel", "noto_cjk_sans_jp_bold", "manimgx_fonts", "pwdlib", "stdnum", "aiohttp")
_TRIES = """
import importlib, sys, production
production.restrict_to_image(sys.argv[1])
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(name, "is missing:", error)
"""


def _missing(service: str, *modules: str) -> list[str]:
    """Which of these cannot be imported where nothing is but what the image of the service holds."""
    folder = Path(production.__file__).parent
    process = subprocess.run(
        [sys.executable, "-c", _TRIES, service, *modules], cwd=folder, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return [line.partition(" ")[0] for line in process.stdout.splitlines()]


def test_an_image_holds_no_tools_no_other_service_and_nothing_that_others_need() -> None:
    assert _missing("catalog", "catalog.service", *TOOLS, *OF_OTHERS) == [*TOOLS, *OF_OTHERS]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_what_its_service_imports(service: str) -> None:
    locked_alone = locked(production.ROOT / lock_of(service))
    own = [
        module
        for module, names in packages_distributions().items()
        if locked_alone & {name.lower() for name in names} and _can_be_imported(module)
    ]
    assert _missing(service, f"{service}.service", "tailrace.runtime.__main__", *sorted(own)) == []


def _can_be_imported(module: str) -> bool:
    """With everything installed. Some wheels bring a bridge to a package that nobody here has."""
    try:
        import_module(module)
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("service", SERVICES)
def test_the_lock_of_a_service_is_of_what_it_needs_now(service: str) -> None:
    wanted, lock = extras(production.ROOT, service), production.ROOT / lock_of(service)
    assert lock.exists() == bool(wanted), "make lock-services"
    if wanted:
        assert lock.read_text().startswith(head(service, wanted)), "make lock-services"
        versions = dict(_LOCKED.findall(lock.read_text()))
        everywhere = dict(_LOCKED.findall((production.ROOT / "locks/requirements.lock").read_text()))
        assert versions.items() <= everywhere.items(), "an image has the versions that the tests ran with"


def test_no_lock_is_of_a_service_that_is_not_there() -> None:
    assert {lock.stem for lock in production.ROOT.glob("locks/services/*.lock")} <= set(SERVICES)


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
    process = _started(fleet, ["-m", "tailrace.cli", "secret", "catalog"])
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    values = json.loads(said)["stringData"]
    settings = Settings(postgres=fleet.postgres_url, secret=fleet.supervisor.credentials.secret)
    assert values["database-url"] == settings.database("catalog")
    assert fleet.supervisor.credentials.secret not in said
    assert values["secret"] not in {settings.secret, settings.own_secret("orders")}
