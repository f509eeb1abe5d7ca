"""`--unchanged`: a test that passed today is not run again while no file it could see has changed. CI has no memory: there everything runs.

What a test could see: for a service's own tests that service, the libraries and the contracts, since services never import one another; for every
other test the whole checkout. Which Python runs, and every `TAILRACE_` setting, count as well. The memory is pytest's own cache, which
`--cache-clear` empties. As in Go's test cache, a result is remembered only when the test passed; what failed or was skipped runs again.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pytest

_MEMORY = "tailrace/passed"
_NOT_OURS = {".git", ".venv", ".tailrace", "__pycache__", ".hypothesis", "dist", "node_modules"}
_SHARED = ("libs", "contracts", "pyproject.toml", "locks/requirements.lock", "locks/requirements-demo.lock")


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
        """One hash for these files and folders, or for everything; with the interpreter and the settings it is tested under."""
        settings = sorted((name, value) for name, value in os.environ.items() if name.startswith("TAILRACE_"))
        sum_of = hashlib.sha256(repr((sys.version, sys.platform, settings)).encode())
        for name, digest in sorted(self._hashes.items()):
            if not folders or any(name == folder or name.startswith(f"{folder}/") for folder in folders):
                sum_of.update(name.encode() + b"\0" + digest)
        return sum_of.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in _NOT_OURS or entry.name.endswith(("_cache", ".egg-info", ".pyc")) or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.is_file():
            yield entry


class Unchanged:
    """Leaves out what passed, and remembers what passes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._today = datetime.now(UTC).date().isoformat()
        self._tree = Tree(config.rootpath)
        self._prints: dict[tuple[str, ...], str] = {}
        self._passed: dict[str, str] = dict(config.cache.get(_MEMORY, {})) if config.cache else {}
        self._runs: dict[str, str] = {}
        self._left_out = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        self._runs = {item.nodeid: self._state_of(item) for item in items}
        known = [item for item in items if self._passed.get(item.nodeid) == self._runs[item.nodeid]]
        if known:
            left_out = set(known)
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=known)
            self._left_out = len(known)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._passed.pop(report.nodeid, None)
            self._runs.pop(report.nodeid, None)
        elif report.when == "teardown" and report.nodeid in self._runs:
            self._passed[report.nodeid] = self._runs[report.nodeid]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._config.cache:
            self._config.cache.set(_MEMORY, self._passed)
        if self._left_out and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._left_out:
            terminalreporter.write_line(
                f"{self._left_out} tests passed earlier today with the same files and were left out; make test AGAIN=1 runs them too."
            )

    def _state_of(self, item: pytest.Item) -> str:
        inputs = _inputs(item.path.relative_to(self._config.rootpath).parts)
        if inputs not in self._prints:
            self._prints[inputs] = self._tree.fingerprint(inputs)
        return f"{self._today} {self._prints[inputs]}"


def _inputs(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The files and folders that a test at this place could see; none means all of them."""
    return (*_SHARED, "/".join(parts[:2])) if parts[0] == "services" else ()
