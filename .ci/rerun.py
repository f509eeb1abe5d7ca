"""`python .ci/rerun.py …`: pytest with these arguments; in CI alone, a few tests that failed are run once more by themselves.

Once more means: in a process and on a stack of their own, at most `MOST` of them, and only when the first run came to its end and nothing
but tests had failed. What could not be collected, a crash, an internal error and an interruption are final. The result is good only when each
of them passes then; one that is skipped or not found has not passed. What failed the first time is named before the second run and again above
its closing line, which is the last line printed. Everywhere else than in CI (`CI=true`) this is pytest, and strict.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import pytest

MOST = 5
"""Tests. When more fail, the load of the machine is not the reason."""
_FAILED = int(pytest.ExitCode.TESTS_FAILED)
_KEPT = {"--containers"}
"""What holds for the second run too; nothing else does, so that it is alone and complete."""
_ONE_RUN = "--one-run"


@dataclass
class Outcome:
    """How one run of pytest ended."""

    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    broken: bool = False
    """Something else than a test failed."""

    def save(self, path: Path) -> None:
        told = {"passed": sorted(self.passed), "failed": sorted(self.failed), "broken": self.broken}
        path.write_text(json.dumps(told))

    @classmethod
    def read(cls, path: Path) -> "Outcome":
        """Of a run that did not come so far as to save its outcome, that it is broken."""
        if not path.is_file():
            return cls(broken=True)
        told = json.loads(path.read_text())
        return cls(set(told["passed"]), set(told["failed"]), told["broken"])


class Watcher:
    """A plugin that keeps the outcome of the run, and tells it beside that of the run before, if there was one."""

    def __init__(self, path: Path, before: Path | None) -> None:
        self._path = path
        self._before = before
        self._outcome = Outcome()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._outcome.failed.add(report.nodeid)
            self._outcome.passed.discard(report.nodeid)
            self._outcome.broken |= report.when not in ("setup", "call", "teardown")  # its process is gone
        elif report.when == "call" and report.passed:
            self._outcome.passed.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._outcome.broken |= report.failed

    def pytest_internalerror(self) -> None:
        self._outcome.broken = True

    def pytest_keyboard_interrupt(self) -> None:
        self._outcome.broken = True

    def pytest_sessionfinish(self) -> None:
        self._outcome.save(self._path)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._before is None:
            return
        terminalreporter.section("failed the first time, run again by themselves")
        for name in sorted(Outcome.read(self._before).failed):
            how = "passed" if name in self._outcome.passed - self._outcome.failed else "DID NOT PASS"
            terminalreporter.write_line(f"failed, then {how}: {name}")
        terminalreporter.write_line("Find out why before anything else is added.")


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code of the run that counts."""
    with tempfile.TemporaryDirectory(prefix="tailrace-outcome-") as folder:
        first, second = Path(folder) / "first.json", Path(folder) / "second.json"
        code = _run(arguments, first)
        outcome = Outcome.read(first)
        if environment.get("CI") != "true" or code != _FAILED or outcome.broken or not 0 < len(outcome.failed) <= MOST:
            return code
        names = sorted(outcome.failed)
        print(f"\n{len(names)} failed, and are run again by themselves, on a stack of their own:", *names, sep="\n  ")
        print(flush=True)
        code = _run([*(each for each in arguments if each in _KEPT), *names], second, first)
        again = Outcome.read(second)
        return code or (0 if not again.broken and again.passed == outcome.failed else _FAILED)


def _run(arguments: Sequence[str], path: Path, before: Path | None = None) -> int:
    """One run, in a process of its own, to its end whatever signal comes meanwhile: it is pytest that ends the stack."""
    command = [sys.executable, __file__, _ONE_RUN, str(path), str(before or ""), *arguments]
    # The terminal sends Ctrl-C to both. Set first: pytest is to heed it, also where this process was started so that it does not.
    signal.signal(signal.SIGINT, lambda *_: None)
    with subprocess.Popen(command) as process:

        def forward(number: int, _: FrameType | None) -> None:
            process.send_signal(number)

        signal.signal(signal.SIGTERM, forward)
        code = process.wait()
    return code if code >= 0 else 128 - code


def one_run(path: str, before: str, *arguments: str) -> int:
    """As `python -m pytest` does it."""
    sys.path[0] = os.getcwd()
    return int(pytest.main(list(arguments), [Watcher(Path(path), Path(before) if before else None)]))


if __name__ == "__main__":
    sys.exit(one_run(*sys.argv[2:]) if sys.argv[1:2] == [_ONE_RUN] else main(sys.argv[1:], os.environ))
