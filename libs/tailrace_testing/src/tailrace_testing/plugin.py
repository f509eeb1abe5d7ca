"""The fixtures. One stack per test run, on free ports and data of its own, started as far as the chosen tests need it.

Order: what needs PostgreSQL alone, then what needs the fleet, and at the end, one after another, the tests that kill processes. With `-n`, the
first of these runs beside the others (`tailrace_testing.spread`). With `--service`, one service's tests and its share of conformance are all.

With `--containers`, PostgreSQL, Kafka and Connect are containers, and only the tests that use them and can are run (`tailrace_testing.containers`).
"""

import gc
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime

import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.observability.logs import configure
from tailrace.service import Service
from tailrace.stack.embedded import Stack
from tailrace.stack.plan import External, Only, service_names
from tailrace_testing import containers
from tailrace_testing.collector import Collector
from tailrace_testing.databases import Databases, drop_slots
from tailrace_testing.gateway import Gateway
from tailrace_testing.harness import Harness, MakeHarness, SetClock
from tailrace_testing.places import LEVELS, in_order, level_of, place_of, service_of
from tailrace_testing.scene import scene
from tailrace_testing.spread import folder_of, is_worker
from tailrace_testing.tokens import TestIssuer

_level = pytest.StashKey[Only]()
_item = pytest.StashKey[pytest.Item]()
_stack = pytest.StashKey[Stack]()
_reach = pytest.StashKey[Only]()
"""How far the stack goes by now."""
_left_out = pytest.StashKey[Counter[str]]()
_scenes = pytest.StashKey[int]()
_MOST_SCENES = 3
_CANARIES, _LOOKS, _FETCHES = 6, 60, 8
"""Per second: of all services, of all connectors for something new (what they find together costs everybody less), and of all consumers in vain."""
_CAPTURE_HOST = "TAILRACE_CAPTURE_HOST"


_running: list[pytest.Config] = []
"""The run of this process, and any that a test of it has begun inside."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--containers", action="store_true", help="PostgreSQL, Kafka and Connect as Docker containers")
    parser.addoption(
        "--service", choices=service_names(), help="this service's tests and its share of conformance alone"
    )


def pytest_configure(config: pytest.Config) -> None:
    configure("test", "WARNING")
    _running.append(config)
    config.addinivalue_line(
        "markers", "embedded(reason): cannot run where PostgreSQL, Kafka and Connect are containers"
    )
    config.addinivalue_line(
        "markers", "early: reads or sends all that the topics hold, so it begins while that is little"
    )
    config.addinivalue_line(
        "markers", "operates: stops, rebuilds or looks into parts of the fleet; of two fleets, it has the second"
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
    items[:] = in_order(items)
    if wanted := config.getoption("--service"):
        config.hook.pytest_deselected(items=[item for item in items if service_of(item) != wanted])
        items[:] = [item for item in items if service_of(item) == wanted]
    if config.getoption("--containers"):
        reasons = [(item, _not_on_containers(item)) for item in items]
        items[:] = [item for item, reason in reasons if reason is None]
        config.hook.pytest_deselected(items=[item for item, reason in reasons if reason is not None])
        config.stash[_left_out].update(reason for _, reason in reasons if reason is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason, count in config.stash[_left_out].most_common():
        terminalreporter.write_line(f"--containers left out {count}: {reason}")


def pytest_collection_finish(session: pytest.Session) -> None:
    level: Only = max(map(level_of, session.items), key=LEVELS.index, default="postgres")
    session.config.stash[_level] = level
    # All services and tests are imported by now, and stay: the collector need not look through them again and again.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[_item] = item
    _stop_what_is_done(item)


def _stop_what_is_done(item: pytest.Item) -> None:
    """Of several processes, each comes to what needs less and less: an idle fleet would take half a core from the others till the run ends."""
    stash, level = item.config.stash, place_of(item).level
    if is_worker(item.config) and _stack in stash and LEVELS.index(level) < LEVELS.index(stash[_reach]):
        stash[_stack].stop_beyond(level)
        stash[_reach] = level
        # Nobody reads them any more, and they would hold the write-ahead log of everything that follows.
        drop_slots(stash[_stack].postgres_url)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """What is said after pytest's closing line, while the interpreter ends, is not printed. A run inside a test's own process ends nothing."""
    try:
        yield
    finally:
        if _running[:1] == [session.config]:
            logging.disable()


def pytest_unconfigure(config: pytest.Config) -> None:
    _running.remove(config)


def _level_here(config: pytest.Config) -> Only:
    """How far this process starts its stack. Of several, each goes as far as its first place wants: no place is given to one before a place
    that wants more."""
    if not is_worker(config):
        return config.stash[_level]
    return min(place_of(config.stash[_item]).level, config.stash[_level], key=LEVELS.index)


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
        with containers.running(compose, _level_here(config)) as external, pytest.MonkeyPatch.context() as patch:
            patch.setenv(_CAPTURE_HOST, containers.CAPTURE_HOST)
            yield external
    except OperatorError as error:
        pytest.exit(f"{error.what}\n{error.remedy}", returncode=1)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, collector: Collector, external: External) -> Iterator[Stack]:
    """The run's own stack; gone, with its data, when the run ends."""
    limits = {"TAILRACE_TENANT_RATE": "5000", "TAILRACE_TENANT_BURST": "10000"}
    capture = {_CAPTURE_HOST: os.environ[_CAPTURE_HOST]} if external.connect and _CAPTURE_HOST in os.environ else {}
    environment = {**limits, **_at_rest(len(service_names())), **collector.environment(), **capture}
    data, level = folder_of(request.config) / "data", _level_here(request.config)
    stack = Stack(data, only=level, external=external, environment=environment, durable=False)
    stash = request.config.stash
    try:
        stash[_stack], stash[_reach] = stack.start(), level
        yield stack
    finally:
        if _stack in stash:
            del stash[_stack]
        stack.discard()


def _at_rest(services: int) -> dict[str, str]:
    """What a fleet does while nobody asks is taken from the tests beside it for as long as the run lasts: no more for many services than for few."""
    every = max(1.0, services / _CANARIES)
    return {
        "TAILRACE_CANARY_EVERY": f"{every:.1f}",
        "TAILRACE_CANARY_LIMIT": f"{every + 5:.1f}",
        "TAILRACE_POLL_INTERVAL_MS": str(max(25, 1000 * services // _LOOKS)),
        # Tests move deadlines from outside, of which nobody tells a process.
        "TAILRACE_LOOK_EVERY": "1.0",
        "TAILRACE_CONSUMER_WAIT_MS": str(max(500, 1000 * services // _FETCHES)),
    }


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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """`clock("2026-11-01T08:30:00+09:00")`: what time it is for the business, until that is said again or the test ends."""

    def set_to(moment: str) -> None:
        at = datetime.fromisoformat(moment).astimezone(UTC)
        monkeypatch.setattr("tailrace.core.clock._read", lambda: at)

    return set_to


@pytest.fixture(scope="session")
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture(scope="session")
def databases(stack: Stack) -> Databases:
    return Databases(stack.postgres_url, stack.supervisor.credentials.secret)


@pytest.fixture
async def make_harness(databases: Databases, issuer: TestIssuer) -> AsyncIterator[MakeHarness]:
    """`await make_harness(service)`: the service on an empty database, stopped after the test."""
    made: list[Harness] = []

    async def make(service: Service) -> Harness:
        harness = Harness(service, databases, issuer, await databases.take(service))
        await harness.start()
        made.append(harness)
        return harness

    yield make
    for harness in made:
        await harness.stop()
        await databases.give_back(harness.database_name)
