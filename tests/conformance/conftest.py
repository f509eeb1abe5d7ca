from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from invariants.subject import Subject

from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness, MakeHarness
from tailrace_testing.tokens import TestIssuer

ROOT = Path(__file__).parents[2]
SERVICES = load_services()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`any_service`: every installed service; `service`: those with a database. There is no way to be left out."""
    for name, chosen in (("any_service", SERVICES), ("service", [s for s in SERVICES if s.metadata is not None])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, chosen, ids=[s.name for s in chosen])


@pytest.fixture(scope="session")
def services() -> list[Service]:
    return SERVICES


@pytest.fixture(scope="session")
async def make_lasting_harness(databases: Databases, issuer: TestIssuer) -> AsyncIterator[MakeHarness]:
    """Like `make_harness`, for harnesses that serve many tests: they go when the run ends."""
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


@pytest.fixture(scope="session")
def subjects(databases: Databases, make_lasting_harness: MakeHarness) -> dict[str, Subject]:
    """Every installed service, ready to be examined."""
    return {s.name: Subject(s, ROOT, SERVICES, databases, make_lasting_harness) for s in SERVICES}
