"""The arithmetic of `make bench`: percentiles, verdicts, and a report also of a run that did not come to its end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from measure.arithmetic import TARGETS, Target, share, summary
from measure.report import judged, save
from measure.usage import Processes, above_idle, busiest, difference

TARGET = Target(40, "idle CPU", ("idle", "cores"), 0.5, "cores")
MADE = Target("ingest", "events", ("per second",), 10_000, "/s", at_least=True)


def test_a_share_is_a_value_of_the_sample_at_its_nearest_rank() -> None:
    values = [float(number) for number in range(200, 0, -1)]
    assert (share(values, 0.5), share(values, 0.99), share(values, 1.0)) == (100, 198, 200)
    assert share([7.0], 0.5) == share([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        share([], 0.5)


def test_a_summary_says_how_many_and_is_in_milliseconds() -> None:
    assert summary([0.2, 0.1, 0.3]) == {"n": 3, "p50 ms": 200, "p90 ms": 300, "p99 ms": 300, "max ms": 300}


def test_beyond_twice_the_figure_is_a_failure() -> None:
    assert [TARGET.judge(value) for value in (0.5, 0.51, 1.0, 1.01)] == ["met", "missed", "missed", "failed"]
    assert [MADE.judge(value) for value in (10_000, 9_999, 5_000, 4_999)] == ["met", "missed", "missed", "failed"]


def test_a_step_that_failed_has_no_figure() -> None:
    assert TARGET.find({"idle": {"cores": 0.4}}) == 0.4
    assert TARGET.find({"idle": {"error": "TimeoutError"}}) is None
    assert TARGET.find({}) is None


def test_what_an_idle_fleet_uses_is_no_cost_of_an_event() -> None:
    used = difference({"kafka": 1.0, "together": 2.0}, {"kafka": 2.5, "together": 5.0})
    assert above_idle(used, {"kafka": 0.1, "together": 0.2}, seconds=10, events=100) == {"kafka": 5.0, "together": 10.0}


def test_the_busiest_threads_come_first() -> None:
    before, after = (
        {"connect: task-thread": 1.0},
        {"kafka: data-plane-k": 0.5, "connect: task-thread": 4.0, "connect: GC Thread": 0.1},
    )
    assert list(busiest(before, after, per=10, count=2).items()) == [
        ("connect: task-thread", 0.3),
        ("kafka: data-plane-k", 0.05),
    ]


def test_a_partial_run_is_saved_with_what_it_had(tmp_path: Path) -> None:
    fleet = {
        "services": 40,
        "warm start": {"seconds": 30.0},
        "idle": {"seconds": 30.0, "cores": {"kafka": 1.1, "together": 1.2}, "threads": {"kafka: VM": 1.1}},
        "latency": {"poll.interval.ms": {}, "10/s": {"error": "3 are not in Kafka"}},
        "news": {"n": 200, "p50 ms": 80.5, "p90 ms": 90, "p99 ms": 310, "max ms": 400},
        "orders": {"error": "TimeoutError"},
    }
    asked = {"services": "40", "seconds": 60, "seed": 1}
    save(tmp_path, {"asked": asked, "machine": {"cores": 2}, "fleets": {"40": fleet}, "complete": False})
    told = json.loads((tmp_path / "bench.json").read_text())
    verdicts = {row["figure"]: row["verdict"] for row in told["targets"]}
    assert verdicts["ready, warm"] == "met"
    assert verdicts["idle CPU"] == "failed"
    assert verdicts["commit → read model at 10/s, median"] == "not measured"
    text = (tmp_path / "bench.md").read_text()
    assert "did not come to its end" in text
    assert verdicts["commit → live feed through the gateway, median"] == "met"
    assert "| 40 | 200 | 80.5 | 90 | 310 | 400 |" in text
    assert "| 40 | latency, 10/s | 3 are not in Kafka |" in text
    assert "| 40 | orders | TimeoutError |" in text
    assert "| 40 | kafka: VM | 1.1 |" in text
    assert {row["of"] for row in judged({"fleets": {"40": fleet}})} == {"40"}


def test_targets_are_those_of_the_smallest_and_of_forty_services_and_of_parts_at_their_full_size(
    tmp_path: Path,
) -> None:
    assert {(target.of, target.bound) for target in TARGETS} == {
        *{(None, 60), (None, 150), (None, 2), (None, 1.3)},
        *{(40, 150), (40, 400), (40, 45), (40, 3584), (40, 0.5)},
        *{("reports", 100), ("wide", 200), ("ingest", 10_000), ("request", 1)},
    }
    asked = {"p50 ms": 90, "p95 ms": 110, "processor ms": 80}
    parts = {
        "wide": {"n": 5_000_000, "load before": 1, "widest ms": 450, "figures": {"everything": asked}},
        "ingest": {"n": 1_000, "load before": 1, "per second": 90, "per second of a core": 300},
        "reports": {"n": 1_000_000, "error": "ended with 1"},
    }
    view = {"REST ms": 10, "GraphQL ms": 12, "times REST": 1.2}
    fleets = {"18": {"views": {"n": 200, "times REST": 1.2, "figures": {"an order": view}}}}
    document = {"machine": {}, "fleets": fleets, "parts": parts, "complete": True}
    verdicts = {row["figure"]: row["verdict"] for row in judged(document)}
    assert verdicts["a view by GraphQL, times that by REST"] == "met"
    assert verdicts["the widest question, median"] == "failed"
    assert verdicts["events of reports a second"] == "not measured", "of a thousand events nothing is said"
    assert verdicts["the four reports of a month, slowest p95"] == "not measured"
    save(tmp_path, document)
    text = (tmp_path / "bench.md").read_text()
    for row in ("| 18 | an order | 200 | 10 | 12 | 1.2 |", "| 5,000,000 | everything | 90 | 110 | 80 | 1 |"):
        assert row in text
    assert "| reports |  | ended with 1 |" in text


def test_cpu_and_memory_are_those_of_the_named_processes(tmp_path: Path) -> None:
    busy = (
        "import time\nheld = bytearray(64 << 20)\nbegan = time.process_time()\n"
        "while time.process_time() - began < .3: pass\nprint(1, flush=True)\ninput()"
    )
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        parts = {name: {"process": {"pid": os.getpid()}, "restarts": 0} for name in ("kafka", "connect")}
        parts |= {name: {"process": {"pid": process.pid}, "restarts": 1} for name in ("postgres", "fleet")}
        run = tmp_path / "run"
        run.mkdir()
        state = {"parts": parts, "supervisor": {"pid": os.getpid()}}
        (run / "stack.json").write_text(json.dumps(state))
        (run / "fleet.json").write_text(json.dumps({"gateway": {"pid": os.getpid(), "restarts": 0}}))
        processes = Processes(tmp_path)
        assert 0.25 <= processes.cpu()["postgres"] < 5
        assert 64 <= processes.memory()["postgres"] < 200
        assert processes.restarts() == 2
        own = [seconds for kind, seconds in processes.threads().items() if kind.startswith("connect: python")]
        assert own and 0 < own[0] <= processes.cpu()["connect"]
        process.communicate(b"\n")
