import pytest

from tailrace.fleet import load_services
from tailrace.service import Service

SERVICES = load_services()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`any_service`: every installed service; `service`: those with a database. There is no way to be left out."""
    for name, chosen in (("any_service", SERVICES), ("service", [s for s in SERVICES if s.metadata is not None])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, chosen, ids=[s.name for s in chosen])


@pytest.fixture(scope="session")
def services() -> list[Service]:
    return SERVICES
