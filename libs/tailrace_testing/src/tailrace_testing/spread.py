"""`-n`: tests over the cores. One process has the fleet; the others begin with Kafka and Connect, or with PostgreSQL alone.

The tests that need the fleet stay in their order, those that kill processes at the end. From four processes on there are two fleets, each of its
own: what people of a company do with it in one process, what operates it in another (the mark `operates`, and all beyond `tests/e2e`). Those that
need Kafka or Connect without it stay together too. What is left goes out by the file, and of a service by the
service: its own tests and its share of conformance, so that its template is made once. The longest goes first; a test that takes far more than a
second says so by the mark `lasts(seconds)`. A process that dies ends the run. The last lines say how long each process ran tests, and on what.
"""

import json
import os
import shutil
import tempfile
from collections import defaultdict
from heapq import nlargest
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tailrace.stack.embedded import Stack
from tailrace_testing.places import in_places, place_of

FEWEST_WORKERS, MOST_WORKERS = 2, 8
LONGEST = 6
"""Places that the last lines name for each process."""
_FOLDER, _PLACES = "tailrace_folder", "places.json"
_folder = pytest.StashKey[Path]()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one, which reports."""
    return hasattr(config, "workerinput")


def folder_of(config: pytest.Config) -> Path:
    """Where this process keeps what it starts; deleted, with whatever is left there, when the run ends."""
    if is_worker(config):
        made: Path = Path(config.workerinput[_FOLDER]) / config.workerinput["workerid"]  # type: ignore[attr-defined]
        made.mkdir(exist_ok=True, mode=0o755)
        return made
    if _folder not in config.stash:
        config.stash[_folder] = Path(tempfile.mkdtemp(prefix="tailrace-test-"))
        config.stash[_folder].chmod(0o755)
    return config.stash[_folder]


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out places, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._places: dict[str, str] = {}

    def schedule(self) -> None:
        self._places = self._places or json.loads((folder_of(self.config) / _PLACES).read_text())
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._places[nodeid]

    def place_of(self, nodeid: str) -> str:
        """Where this test belongs; itself, when it was not collected."""
        return self._places.get(nodeid, nodeid)

    def remove_node(self, node: WorkerController) -> str | None:
        """Nobody takes over what a process that died still had to do: the fleet's tests would come to one without a fleet."""
        if self._pending_of(self.assigned_work[node]):
            self.workqueue.clear()
            for other in self.nodes:
                other.shutdown()
        crashed: str | None = super().remove_node(node)
        return crashed


class Controller:
    """In the process that reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._spread: Spread | None = None
        self._seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        config.option.maxworkerrestart = "0"

    def pytest_configure_node(self, node: WorkerController) -> None:
        node.workerinput[_FOLDER] = str(folder_of(self._config))

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> Spread:
        self._spread = Spread(config, log)
        return self._spread

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._spread is not None and hasattr(report, "node"):
            place = self._spread.place_of(report.nodeid)
            self._seconds[report.node.gateway.id][place] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for worker, places in sorted(self._seconds.items()):
            longest = ", ".join(
                f"{place} {places[place]:.0f}" for place in nlargest(LONGEST, places, key=places.__getitem__)
            )
            terminalreporter.write_line(f"{worker}: {sum(places.values()):.0f} s of tests, most on {longest}")


class Worker:
    """In a process that runs tests."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = in_places(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Before the controller is told of the tests, it can read where they belong."""
        path = Path(session.config.workerinput[_FOLDER], _PLACES)  # type: ignore[attr-defined]
        mine = path.with_suffix(f".{os.getpid()}")
        mine.write_text(json.dumps({item.nodeid: place_of(item).name for item in session.items}))
        mine.replace(path)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lasts(seconds): about, on an idle machine; the longest are begun first")
    if is_worker(config):
        config.pluginmanager.register(Worker(), "tailrace-worker")
    elif config.getoption("dist", "no") != "no":
        config.pluginmanager.register(Controller(config), "tailrace-controller")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`-n auto`: as many as cores, and two at least; none where the tests must stay in this process. A fleet computes while its tests wait: of one
    more than cores, on two cores, everything took three times as long."""
    if config.getoption("--containers", False) or config.option.capture == "no":
        return 0
    return min(max(os.cpu_count() or 1, FEWEST_WORKERS), MOST_WORKERS)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not is_worker(config) and _folder in config.stash:
        for data in config.stash[_folder].glob("*/data"):  # of a process that was killed
            Stack(data, only="postgres").discard()
        shutil.rmtree(config.stash[_folder], ignore_errors=True)
