"""The fixtures. One stack per test run, started when the first test asks for it, on free ports and data of its own."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tailrace.logs import configure
from tailrace.service import Service
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness, MakeHarness
from tailrace_testing.tokens import TestIssuer


def pytest_configure() -> None:
    configure("test", "WARNING")


@pytest.fixture(scope="session")
def stack_folder() -> Iterator[Path]:
    """Where the run's stack keeps its data; gone when the run ends."""
    folder = Path(tempfile.mkdtemp(prefix="tailrace-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(stack_folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL server that this run may do anything with."""
    given = os.environ.get("TAILRACE_TEST_POSTGRES")
    if given:
        yield given
        return
    with Stack(stack_folder / "postgres", only="postgres", services=()) as stack:
        yield stack.postgres_url


@pytest.fixture(scope="session")
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture(scope="session")
def databases(postgres: str) -> Databases:
    return Databases(postgres)


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
