"""In CI a few tests that failed are run once more by themselves; whatever else goes wrong, and everywhere else, the first run counts."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

_RERUN = Path(__file__).parents[2] / ".ci" / "rerun.py"
_CONFTEST = """
from pathlib import Path

def times():
    file = Path("times")
    file.write_text(str(1 + int(file.read_text())) if file.is_file() else "1")
    return int(file.read_text())
"""
_FLAKY = "from conftest import times\ndef test_flaky(): assert times() > 1\n"
_FINE = "def test_fine(): pass\n"
_BAD = "def test_bad(): assert False\n"


@dataclass
class Run:
    code: int
    lines: list[str]

    @property
    def closing(self) -> list[str]:
        """What each of pytest's closing lines counts."""
        return [found[1] for line in self.lines if (found := re.match(r"=* ?(.*) in [0-9.]+s", line))]


@dataclass
class Suite:
    """A folder with tests, run as `.ci/run` does."""

    folder: Path
    options: tuple[str, ...]

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)

    def start(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return subprocess.Popen(
            [sys.executable, str(_RERUN), *self.options, *arguments],
            cwd=self.folder,
            env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CI": "true", **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **settings: str) -> Run:
        process = self.start(*arguments, **settings)
        said, _ = process.communicate(timeout=600)
        return Run(process.returncode, said.splitlines())


@pytest.fixture
def suite(request: pytest.FixtureRequest, tmp_path: Path) -> Suite:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p xdist\npythonpath = .\n")
    suite = Suite(tmp_path, getattr(request, "param", ()))
    suite.write(conftest=_CONFTEST, test_fine=_FINE)
    return suite


also_spread = pytest.mark.parametrize("suite", [(), ("-n", "2")], indirect=True, ids=["one process", "two workers"])


def test_what_passes_is_run_once(suite: Suite) -> None:
    run = suite.run()
    assert (run.code, run.closing) == (0, ["1 passed"])


@also_spread
def test_what_passes_the_second_time_is_good_and_is_named(suite: Suite) -> None:
    suite.write(test_flaky=_FLAKY)
    run = suite.run()
    assert (run.code, run.closing) == (0, ["1 failed, 1 passed", "1 passed"])
    assert "  test_flaky.py::test_flaky" in run.lines
    assert "failed, then passed: test_flaky.py::test_flaky" in run.lines
    assert run.closing[-1] in run.lines[-1]


def test_what_fails_twice_is_red(suite: Suite) -> None:
    suite.write(test_flaky=_FLAKY, test_bad=_BAD)
    run = suite.run()
    assert (run.code, run.closing) == (1, ["2 failed, 1 passed", "1 failed, 1 passed"])
    assert "failed, then DID NOT PASS: test_bad.py::test_bad" in run.lines
    assert run.closing[-1] in run.lines[-1]


def test_an_error_of_a_fixture_is_a_failure_too(suite: Suite) -> None:
    suite.write(
        test_flaky="import pytest\nfrom conftest import times\n@pytest.fixture\ndef it():\n    yield\n    assert times() > 1\n"
        "def test_flaky(it): pass\n"
    )
    run = suite.run()
    assert (run.code, run.closing) == (0, ["2 passed, 1 error", "1 passed"])


def test_a_test_that_is_skipped_the_second_time_has_not_passed(suite: Suite) -> None:
    suite.write(
        test_flaky="import pytest\nfrom conftest import times\ndef test_flaky():\n    assert times() > 1\n    pytest.skip('why not')\n"
    )
    run = suite.run()
    assert (run.code, run.closing) == (1, ["1 failed, 1 passed", "1 skipped"])
    assert "failed, then DID NOT PASS: test_flaky.py::test_flaky" in run.lines


@pytest.mark.parametrize(("many", "runs"), [(5, 2), (6, 1)])
def test_more_than_five_are_red_at_once(suite: Suite, many: int, runs: int) -> None:
    suite.write(
        test_bad=f"import pytest\n@pytest.mark.parametrize('n', range({many}))\ndef test_bad(n): assert False\n"
    )
    run = suite.run()
    assert (run.code, len(run.closing)) == (1, runs)


def test_no_tests_at_all_are_red(suite: Suite) -> None:
    (suite.folder / "test_fine.py").unlink()
    run = suite.run()
    assert (run.code, run.closing) == (5, ["no tests ran"])


@also_spread
def test_what_cannot_be_collected_is_red_at_once(suite: Suite) -> None:
    suite.write(test_flaky=_FLAKY, test_broken="import nothing_of_this_name\n")
    run = suite.run()
    assert run.code != 0
    assert len(run.closing) == 1


@also_spread
def test_an_internal_error_is_red_at_once(suite: Suite) -> None:
    broken = "def pytest_runtest_logfinish():\n    raise RuntimeError('of the plugin')\n"
    suite.write(test_flaky=_FLAKY, conftest=f"{_CONFTEST}\n{broken}")
    run = suite.run()
    assert run.code not in {0, 1}
    assert not any("by themselves" in line for line in run.lines)


@also_spread
def test_a_crash_is_red_at_once(suite: Suite) -> None:
    suite.write(
        test_flaky=_FLAKY, test_zz="import os, signal\ndef test_crash(): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = suite.run()
    assert run.code != 0
    assert not any("by themselves" in line for line in run.lines)


@also_spread
def test_an_interruption_is_red_at_once(suite: Suite) -> None:
    suite.write(
        test_flaky=_FLAKY, test_zz="import time\ndef test_long():\n    open('begun', 'w').close()\n    time.sleep(60)\n"
    )
    process = suite.start()
    while not (suite.folder / "begun").exists():
        assert process.poll() is None
        time.sleep(0.02)
    for each in subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split():
        os.kill(int(each), signal.SIGINT)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 2
    assert "by themselves" not in said


def test_at_a_desk_the_first_run_counts(suite: Suite) -> None:
    suite.write(test_flaky=_FLAKY)
    run = suite.run(CI="")
    assert (run.code, run.closing) == (1, ["1 failed, 1 passed"])
