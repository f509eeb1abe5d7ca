"""`--unchanged`: a test that passed today is not run again while no file it could see has changed. CI has no memory: there everything runs.

What a test could see: for a service's own tests that service, the libraries and the contracts, since services never import one another; for its
share of conformance these, the invariants, and the manifest of every other service; for every other test the whole checkout. Which Python runs, and
every `TAILRACE_` setting, count as well. The memory is pytest's own cache, which `--cache-clear` empties. As in Go's test cache, a result is
remembered only when the test passed; what failed or was skipped runs again.
"""

import hashlib
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tailrace_testing.places import service_of
from tailrace_testing.spread import is_worker

_MEMORY = "tailrace/passed"
_NOT_OURS = {".git", ".venv", ".tailrace", "__pycache__", ".hypothesis", "dist", "node_modules"}
_SHARED = (
    "libs",
    "contracts",
    "conftest.py",
    "pyproject.toml",
    "locks/requirements.lock",
    "locks/requirements-demo.lock",
    "locks/services",
)
_FLEET = ("tests/conformance", "tests/support", "services/*/pyproject.toml", "services/*/src/*/service.py")
"""What a service's share of conformance sees besides: the names, topics and events of all the others."""
_state = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--unchanged", action="store_true", help="leave out what passed today with the same files")


def pytest_configure(config: pytest.Config) -> None:
    other = config.getoption("--containers", default=False)  # what passed on other parts says nothing here
    if config.getoption("--unchanged") and not other and not os.environ.get("CI"):
        config.pluginmanager.register(Unchanged(config), "tailrace-unchanged")


class Tree:
    """The checkout's files as hashes; each file is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def _hashes(self) -> dict[str, bytes]:
        return {
            path.relative_to(self._root).as_posix(): hashlib.sha256(path.read_bytes()).digest()
            for path in _files(self._root)
        }

    def fingerprint(self, folders: Sequence[str] = ()) -> str:
        """One hash for these files and folders, in which `*` is any name, or for everything; with the interpreter and the settings."""
        settings = sorted((name, value) for name, value in os.environ.items() if name.startswith("TAILRACE_"))
        sum_of = hashlib.sha256(repr((sys.version, sys.platform, settings)).encode())
        for name, digest in sorted(self._hashes.items()):
            if not folders or any(_lies_in(name, folder) for folder in folders):
                sum_of.update(name.encode() + b"\0" + digest)
        return sum_of.hexdigest()


def _lies_in(name: str, folder: str) -> bool:
    parts, wanted = name.split("/"), folder.split("/")
    return len(parts) >= len(wanted) and all(each in ("*", part) for each, part in zip(wanted, parts, strict=False))


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in _NOT_OURS or entry.name.endswith(("_cache", ".egg-info", ".pyc")) or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.is_file():
            yield entry


class Unchanged:
    """Leaves out what passed, and remembers what passes. With several processes, the tests' choose and the one that reports remembers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._today = datetime.now(UTC).date().isoformat()
        self._tree = Tree(config.rootpath)
        self._prints: dict[tuple[str, ...], str] = {}
        self._passed: dict[str, str] = dict(config.cache.get(_MEMORY, {})) if config.cache else {}
        self._failed: set[str] = set()
        self._left_out = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        for item in items:
            item.stash[_state] = self._state_of(item)
        known = [item for item in items if self._passed.get(item.nodeid) == item.stash[_state]]
        if known:
            left_out = set(known)
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=known)
            self._left_out = len(known)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What goes with the report reaches the process that remembers."""
        report = yield
        report.user_properties.append((_MEMORY, item.stash[_state]))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._passed.pop(report.nodeid, None)
            self._failed.add(report.nodeid)
        elif report.when == "teardown" and report.nodeid not in self._failed:
            self._passed[report.nodeid] = str(dict(report.user_properties)[_MEMORY])

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if is_worker(self._config):
            self._config.workeroutput[_MEMORY] = self._left_out  # type: ignore[attr-defined]
            return
        if self._config.cache:
            self._config.cache.set(_MEMORY, self._passed)
        if self._left_out and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Each of the processes that run tests left out the same."""
        self._left_out = getattr(node, "workeroutput", {}).get(_MEMORY, self._left_out)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._left_out:
            terminalreporter.write_line(
                f"{self._left_out} tests passed earlier today with the same files and were left out; make test AGAIN=1 runs them too."
            )

    def _state_of(self, item: pytest.Item) -> str:
        inputs = _inputs(item)
        if inputs not in self._prints:
            self._prints[inputs] = self._tree.fingerprint(inputs)
        return f"{self._today} {self._prints[inputs]}"


def _inputs(item: pytest.Item) -> tuple[str, ...]:
    """The files and folders that a test could see; none means all of them."""
    service = service_of(item)
    if service is None:
        return ()
    own = (*_SHARED, f"services/{service}")
    return own if item.path.relative_to(item.config.rootpath).parts[0] == "services" else (*own, *_FLEET)
