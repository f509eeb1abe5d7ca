"""With `-n`, one process has the fleet and all tests that need it, in order, another those of Kafka and Connect; the others take places; one that
dies ends the run."""

import logging

import pytest

_CONFTEST = """
import pytest
from pathlib import Path

RAN = Path(__file__).parent / "ran"

@pytest.fixture(scope="session")
def fleet():
    return "fleet"

@pytest.fixture(scope="session")
def kafka():
    return "kafka"

@pytest.fixture(scope="session")
def connect_url():
    return "connect"

@pytest.fixture(autouse=True)
def note(request, worker_id):
    yield
    with RAN.open("a") as file:
        file.write(f"{worker_id} {request.node.name}\\n")
"""
_FLEET = """
import time
from pathlib import Path

def test_first(fleet):
    # It ends only when something else was run beside it.
    deadline = time.monotonic() + 300
    while not (Path(__file__).parents[1] / "ran").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)

def test_second(fleet): pass
def test_third(fleet): pass
"""
_KAFKA = """
def test_topic(kafka): pass
def test_group(kafka): pass
def test_connector(connect_url): pass
def test_both(kafka, fleet): pass
"""
_OWN = "def test_{0}_one(): pass\ndef test_{0}_two(): pass\n"
_SHARE = """
import pytest

@pytest.mark.parametrize("service_name", ["buying", "selling"])
def test_share(service_name): pass

@pytest.mark.parametrize("service_name", ["buying", "selling"])
def test_more(service_name): pass
"""

_FIRST = {"test_first", "test_second", "test_third", "test_both", "test_topic", "test_group", "test_connector"}
"""What needs the fleet, or Kafka: each of the two processes has its own before it takes anything else."""


@pytest.fixture
def checkout(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(_CONFTEST)
    _write(pytester, "pyproject.toml", '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib -p no:asyncio"\n')
    _write(pytester, "tests/test_fleet.py", _FLEET)
    _write(pytester, "tests/test_kafka.py", _KAFKA)
    _write(pytester, "tests/conformance/test_share.py", _SHARE)
    for service in ("buying", "selling"):
        _write(pytester, f"services/{service}/tests/test_{service}.py", _OWN.format(service))
    return pytester


def _write(pytester: pytest.Pytester, name: str, text: str) -> None:
    path = pytester.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _run(pytester: pytest.Pytester, processes: int = 2) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "tailrace_testing.spread", "-n", str(processes))


def _ran(checkout: pytest.Pytester) -> dict[str, str]:
    """Which process ran each test, in the order in which they ended."""
    lines = [line.split() for line in (checkout.path / "ran").read_text().splitlines()]
    return {name: worker for worker, name in lines}


def test_the_fleets_tests_stay_together_in_order_and_the_others_run_beside_them(checkout: pytest.Pytester) -> None:
    done = _run(checkout)
    done.assert_outcomes(passed=15)
    ran = [line.split() for line in (checkout.path / "ran").read_text().splitlines()]
    workers = {name: worker for worker, name in ran}
    assert [name for _, name in ran if name in {"test_first", "test_second", "test_third"}] == [
        "test_first",
        "test_second",
        "test_third",
    ]
    assert len({workers[name] for name in ("test_first", "test_second", "test_third")}) == 1
    assert workers["test_both"] == workers["test_first"]
    assert workers["test_topic"] == workers["test_group"] == workers["test_connector"] != workers["test_first"]
    for together in (("test_buying_one", "test_buying_two"), ("test_share[selling]", "test_more[selling]")):
        assert len({workers[name] for name in together}) == 1
    assert len(set(workers.values())) == 2


_MARKED = "import pytest\n@pytest.mark.{0}\ndef test_{0}(fleet): pass\ndef test_beside_{0}(fleet): pass\n"


def test_of_four_processes_one_has_what_trades_and_one_what_operates(checkout: pytest.Pytester) -> None:
    checkout.makepyprojecttoml(
        (checkout.path / "pyproject.toml").read_text() + 'markers = ["early: .", "operates: ."]\n'
    )
    for mark in ("early", "operates"):
        _write(checkout, f"tests/e2e/test_toy_{mark}.py", _MARKED.format(mark))
    _write(checkout, "tests/faults/test_toy_faults.py", "def test_kills(fleet): pass\n")
    _run(checkout, 4).assert_outcomes(passed=20)
    ran = _ran(checkout)
    trading = {ran[name] for name in ("test_beside_early", "test_beside_operates")}
    operating = {ran[name] for name in ("test_first", "test_early", "test_operates", "test_kills", "test_both")}
    assert len(trading) == len(operating) == len({ran["test_topic"], ran["test_connector"]}) == 1
    assert trading != operating
    both = [name for name in ran if name in {"test_first", "test_early", "test_operates", "test_kills"}]
    assert both.index("test_early") < both.index("test_operates") < both.index("test_kills")


def test_the_longest_begins_first_and_the_last_lines_say_where_the_time_went(checkout: pytest.Pytester) -> None:
    _write(checkout, "tests/test_long.py", "import pytest\n@pytest.mark.lasts(100)\ndef test_long(worker_id): pass\n")
    done = _run(checkout)
    done.assert_outcomes(passed=16)
    workers = _ran(checkout)
    # Only of one process the order in which they ended says in which they were given out.
    beside = [name for name, worker in workers.items() if worker == workers["test_long"] and name not in _FIRST]
    assert beside[0] == "test_long"
    done.stdout.re_match_lines([r"gw0: \d+ s of tests, most on .*", r"gw1: .*", "=+ 16 passed in .*"])
    # Which of the two has the fleet is whose that was ready first.
    done.stdout.re_match_lines([r"gw\d: \d+ s of tests, most on .*fleet \d+.*"])


def test_what_reads_all_that_there_is_begins_early(checkout: pytest.Pytester) -> None:
    """Also in one process, after what needs less than the fleet. No file is called as one of the suite is: that would be taken for it."""
    early = "import pytest\n@pytest.mark.early\ndef test_reads_all(fleet): pass\ndef test_as_it_comes(fleet): pass\n"
    _write(checkout, "tests/e2e/test_z.py", early)
    _write(checkout, "tests/fuzz/test_early.py", "def test_fuzz(fleet): pass\n")
    _write(checkout, "tests/e2e/test_a.py", "def test_trades(fleet): pass\n")
    said = checkout.runpytest_inprocess("-p", "tailrace_testing.plugin", "--collect-only", "-q").outlines
    names = [line.partition("::")[2] for line in said if "::" in line]
    mine = [name for name in names if name in {"test_reads_all", "test_fuzz", "test_trades", "test_as_it_comes"}]
    assert mine == ["test_reads_all", "test_fuzz", "test_trades", "test_as_it_comes"]
    assert names.index("test_buying_one") < names.index("test_share[buying]") < names.index("test_reads_all")


def test_a_process_that_dies_ends_the_run(checkout: pytest.Pytester) -> None:
    _write(checkout, "services/buying/tests/test_buying.py", "import os\ndef test_dies(): os._exit(7)\n")
    done = _run(checkout)
    assert done.ret != 0
    done.stdout.fnmatch_lines(["*crashed while running*test_dies*", "*1 failed*"])
    assert "replacing crashed worker" not in done.stdout.str()


_MUCH = "def test_much(kafka, stack): assert set(stack.pids()) == {'postgres', 'kafka'}\n"
_LITTLE = """
import asyncio
import asyncpg

async def slots(url):
    admin = await asyncpg.connect(url)
    found = await admin.fetchval("SELECT count(*) FROM pg_replication_slots")
    await admin.close()
    return found

def test_little(stack):
    assert set(stack.pids()) == {"postgres"}
    assert asyncio.run(slots(stack.postgres_url)) == 0
"""


def test_what_no_later_test_needs_is_stopped(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["tailrace_testing.spread", "tailrace_testing.plugin"]')
    _write(pytester, "tests/test_much.py", _MUCH)
    _write(pytester, "tests/test_little.py", _LITTLE)
    pytester.runpytest_inprocess("-p", "no:asyncio", "-n", "1").assert_outcomes(passed=2)


def test_a_run_inside_a_test_leaves_the_logs_of_this_process_on(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["tailrace_testing.plugin"]')
    pytester.makepyfile("def test_it():\n    pass\n")
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert logging.root.manager.disable == logging.NOTSET
