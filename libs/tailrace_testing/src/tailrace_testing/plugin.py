"""The fixtures. One stack per test run, on free ports and data of its own, started as far as the chosen tests need it.

Order: what needs PostgreSQL alone, then what needs the fleet, and at the end, one after another, the tests that kill processes.

With `--containers`, PostgreSQL, Kafka and Connect are containers, and only the tests that use them and can are run (`tailrace_testing.containers`).
"""

import atexit
import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.observability.logs import configure
from tailrace.service import Service
from tailrace.stack.embedded import Stack
from tailrace.stack.plan import External, Only
from tailrace_testing import containers
from tailrace_testing.collector import Collector
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import Gateway
from tailrace_testing.harness import Harness, MakeHarness
from tailrace_testing.scene import scene
from tailrace_testing.tokens import TestIssuer

_NEEDS: dict[str, Only] = {"connect_url": "stack", "kafka": "stack", "fleet": "fleet", "gateway": "fleet"}
_LEVELS: tuple[Only, ...] = ("postgres", "stack", "fleet")
_LAST = ("tests/conformance", "tests/docs", "tests/e2e", "tests/faults")
_level = pytest.StashKey[Only]()
_left_out = pytest.StashKey[Counter[str]]()
_scenes = pytest.StashKey[int]()
_MOST_SCENES = 3
_CAPTURE_HOST = "TAILRACE_CAPTURE_HOST"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--containers", action="store_true", help="PostgreSQL, Kafka and Connect as Docker containers")


def pytest_configure(config: pytest.Config) -> None:
    configure("test", "WARNING")
    atexit.register(logging.disable)  # what is said while the interpreter ends would come after pytest's closing line
    config.addinivalue_line(
        "markers", "embedded(reason): cannot run where PostgreSQL, Kafka and Connect are containers"
    )
    config.stash[_left_out], config.stash[_scenes] = Counter(), 0
    if config.getoption("--containers"):
        try:
            containers.check_engine()
        except OperatorError as error:
            raise pytest.UsageError(f"{error.what}\n{error.remedy}") from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of the first failures what the fleet looked like."""
    report = yield
    fleet = getattr(item, "funcargs", {}).get("fleet")
    if report.failed and fleet is not None and item.config.stash[_scenes] < _MOST_SCENES:
        item.config.stash[_scenes] += 1
        report.sections.insert(0, ("The fleet", scene(fleet)))
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place)
    if config.getoption("--containers"):
        reasons = [(item, _not_on_containers(item)) for item in items]
        items[:] = [item for item, reason in reasons if reason is None]
        config.hook.pytest_deselected(items=[item for item, reason in reasons if reason is not None])
        config.stash[_left_out].update(reason for _, reason in reasons if reason is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason, count in config.stash[_left_out].most_common():
        terminalreporter.write_line(f"--containers left out {count}: {reason}")


def pytest_collection_finish(session: pytest.Session) -> None:
    asked = {_NEEDS[name] for item in session.items for name in getattr(item, "fixturenames", ()) if name in _NEEDS}
    level: Only = max(asked, key=_LEVELS.index, default="postgres")
    session.config.stash[_level] = level


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((place for place, folder in enumerate(_LAST, 1) if f"/{folder}/" in path), 0)


def _not_on_containers(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("embedded")
    if mark is not None:
        return str(mark.args[0])
    used = "stack" in getattr(item, "fixturenames", ())
    return None if used else "uses neither PostgreSQL, Kafka nor Connect of the run"


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Takes the spans and metrics of the run's fleet, as an OpenTelemetry collector would."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="session")
def external(request: pytest.FixtureRequest) -> Iterator[External]:
    """The parts that the stack finds elsewhere: with `--containers` those of this level, otherwise none."""
    config = request.config
    if not config.getoption("--containers"):
        yield External()
        return
    try:
        compose = config.rootpath / "docker-compose.yml"
        with containers.running(compose, config.stash[_level]) as external, pytest.MonkeyPatch.context() as patch:
            patch.setenv(_CAPTURE_HOST, containers.CAPTURE_HOST)
            yield external
    except OperatorError as error:
        pytest.exit(f"{error.what}\n{error.remedy}", returncode=1)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, collector: Collector, external: External) -> Iterator[Stack]:
    """The run's own stack; gone, with its data, when the run ends."""
    folder = Path(tempfile.mkdtemp(prefix="tailrace-test-"))
    folder.chmod(0o755)
    level = request.config.stash[_level]
    limits = {"TAILRACE_TENANT_RATE": "5000", "TAILRACE_TENANT_BURST": "10000"}
    canaries = {"TAILRACE_CANARY_EVERY": "1", "TAILRACE_CANARY_LIMIT": "6"}
    capture = {_CAPTURE_HOST: os.environ[_CAPTURE_HOST]} if external.connect and _CAPTURE_HOST in os.environ else {}
    environment = {**limits, **canaries, **collector.environment(), **capture}
    stack = Stack(folder / "data", only=level, external=external, environment=environment)
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
