"""What passed is left out while nothing it could see has changed, and only then."""

import pytest


class Checkout:
    """A checkout of two services and one test of the whole, tested by a pytest of its own."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.write("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib -p no:asyncio"\n')
        self.write("libs/kit.py", "")
        for service in ("buying", "selling"):
            self.write(f"services/{service}/rule.txt", "yes")
            self.write(f"services/{service}/tests/test_{service}.py", _TEST)
        self.write("tests/test_whole.py", "def test_whole():\n    pass\n")
        self.write("tests/conformance/test_share.py", _SHARE)

    def write(self, name: str, text: str) -> None:
        path = self._pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: str) -> dict[str, int]:
        """How many passed, failed and were deselected; and the exit code, when it is not 0."""
        done = self._pytester.runpytest_inprocess("-p", "tailrace_testing.unchanged", "--unchanged", *arguments)
        counted = {what: count for what, count in done.parseoutcomes().items() if what != "warnings"}
        return counted | ({"exit": int(done.ret)} if done.ret else {})


_SHARE = """
import pytest

@pytest.mark.parametrize("service_name", ["buying", "selling"])
def test_share(service_name): pass
"""
_TEST = """
from pathlib import Path

def test_rule():
    assert (Path(__file__).parents[1] / "rule.txt").read_text() == "yes"
"""


@pytest.fixture
def checkout(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.delenv("CI", raising=False)
    checkout = Checkout(pytester)
    assert checkout.run() == {"passed": 5}
    return checkout


def test_what_passed_is_left_out(checkout: Checkout) -> None:
    assert checkout.run() == {"deselected": 5}


def test_a_change_to_one_service_runs_its_tests_its_share_of_conformance_and_those_of_the_whole(
    checkout: Checkout,
) -> None:
    checkout.write("services/buying/note.txt", "new")
    assert checkout.run() == {"passed": 3, "deselected": 2}
    assert checkout.run() == {"deselected": 5}


def test_a_change_to_a_manifest_or_an_invariant_runs_all_of_conformance(checkout: Checkout) -> None:
    checkout.write("services/buying/src/buying/service.py", "topic = 'new'")
    assert checkout.run() == {"passed": 4, "deselected": 1}
    checkout.write("tests/conformance/support/table.py", "")
    assert checkout.run() == {"passed": 3, "deselected": 2}


def test_several_processes_leave_out_and_remember_the_same(checkout: Checkout) -> None:
    spread = ("-p", "tailrace_testing.spread", "-n", "2")
    assert checkout.run(*spread) == {}
    checkout.write("services/buying/note.txt", "new")
    assert checkout.run(*spread) == {"passed": 3}
    assert checkout.run() == {"deselected": 5}


def test_a_change_to_the_kit_or_to_a_setting_runs_everything(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.write("libs/kit.py", "new = 1")
    assert checkout.run() == {"passed": 5}
    monkeypatch.setenv("TAILRACE_POLL_INTERVAL_MS", "7")
    assert checkout.run() == {"passed": 5}


def test_what_failed_runs_until_it_passes(checkout: Checkout) -> None:
    checkout.write("services/selling/rule.txt", "no")
    assert checkout.run() == {"failed": 1, "passed": 2, "deselected": 2, "exit": 1}
    assert checkout.run() == {"failed": 1, "deselected": 4, "exit": 1}
    checkout.write("services/selling/rule.txt", "yes")
    assert checkout.run("services") == {"passed": 1, "deselected": 1}


def test_ci_and_an_explicit_request_run_everything(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert checkout.run() == {"passed": 5}
    monkeypatch.delenv("CI")
    assert checkout.run("--cache-clear") == {"passed": 5}
