"""The fixtures. One stack per test run, on free ports and data of its own, started as far as the chosen tests need it.

Order: what needs PostgreSQL alone, then what needs the fleet, and at the end, one after another, the tests that kill processes.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tailrace.logs import configure
from tailrace.service import Service
from tailrace.stack.embedded import Stack
from tailrace.stack.plan import Only
from tailrace_testing.collector import Collector
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import Gateway
from tailrace_testing.harness import Harness, MakeHarness
from tailrace_testing.tokens import TestIssuer

_NEEDS: dict[str, Only] = {"connect_url": "stack", "kafka": "stack", "fleet": "fleet", "gateway": "fleet"}
_LEVELS: tuple[Only, ...] = ("postgres", "stack", "fleet")
_LAST = ("tests/conformance", "tests/docs", "tests/e2e", "tests/faults")
_level = pytest.StashKey[Only]()


def pytest_configure() -> None:
    configure("test", "WARNING")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place)


def pytest_collection_finish(session: pytest.Session) -> None:
    asked = {_NEEDS[name] for item in session.items for name in getattr(item, "fixturenames", ()) if name in _NEEDS}
    level: Only = max(asked, key=_LEVELS.index, default="postgres")
    session.config.stash[_level] = level


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((place for place, folder in enumerate(_LAST, 1) if f"/{folder}/" in path), 0)


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Takes the spans and metrics of the run's fleet, as an OpenTelemetry collector would."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, collector: Collector) -> Iterator[Stack]:
    """The run's own stack; gone, with its data, when the run ends."""
    folder = Path(tempfile.mkdtemp(prefix="tailrace-test-"))
    folder.chmod(0o755)
    level = request.config.stash[_level]
    limits = {"TAILRACE_TENANT_RATE": "5000", "TAILRACE_TENANT_BURST": "10000"}
    canaries = {"TAILRACE_CANARY_EVERY": "1", "TAILRACE_CANARY_LIMIT": "6"}
    stack = Stack(folder / "data", only=level, environment={**limits, **canaries, **collector.environment()})
    try:
        yield stack.start()
    finally:
        stack.discard()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(stack: Stack) -> str:
    """The address of a PostgreSQL server that this run may do anything with."""
    return stack.postgres_url


@pytest.fixture(scope="session")
def connect_url(stack: Stack) -> str:
    return stack.connect_url


@pytest.fixture(scope="session")
def kafka(stack: Stack) -> str:
    """`host:port` of the broker."""
    return stack.kafka


@pytest.fixture(scope="session")
def fleet(stack: Stack) -> Stack:
    """The stack with every service running and ready."""
    return stack


@pytest.fixture
async def gateway(fleet: Stack) -> AsyncIterator[Gateway]:
    """A client of the gateway, and the way to make tenants."""
    async with Gateway(fleet.gateway_url, fleet.supervisor.credentials.operator) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture(scope="session")
def databases(stack: Stack) -> Databases:
    return Databases(stack.postgres_url, stack.supervisor.credentials.secret)


@pytest.fixture
async def make_harness(databases: Databases, issuer: TestIssuer) -> AsyncIterator[MakeHarness]:
    """`await make_harness(service)`: the service on a cloned database, stopped and dropped after the test."""
    made: list[Harness] = []

    async def make(service: Service) -> Harness:
        harness = Harness(service, databases, issuer, await databases.clone(service))
        await harness.start()
        made.append(harness)
        return harness

    yield make
    for harness in made:
        await harness.stop()
        await databases.drop(harness.database_name)
