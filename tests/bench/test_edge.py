"""The gateway beside other proxies: that the benchmark works, and what its figures come to. How fast anything is does not matter here."""

import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from edge.report import DIRECT, OURS, page, result


def _turn(rate: float, one: float) -> dict[str, dict[str, float]]:
    many = {"rate": rate, "cpu": 1e6 / rate, "p50": 100.0, "p99": 300.0}
    return {"many": many, "one": {"p50": one, "p99": 2 * one, "cpu": 50.0}}


def test_a_ratio_is_the_median_of_those_within_each_round() -> None:
    turns = {
        DIRECT: [_turn(100_000, 20)] * 3,
        OURS: [_turn(rate, 100) for rate in (10_000, 2_000, 11_000)],
        "nginx": [_turn(rate, 60) for rate in (10_000, 2_000, 20_000)],
        "HAProxy": [_turn(5_000, 60)] * 3,
    }
    told = result(turns, {"nginx": {"version": "1", "settings": "some"}}, {"cores": 2})
    found = {(goal["row"], goal["peer"]): (goal["ratio"], goal["met"]) for goal in told["goals"]}
    assert found == {(1, "nginx"): (1.0, True), (1, "HAProxy"): (2.0, True), (2, "HAProxy"): (2.0, False)}
    text = page(told)
    assert "| 2 | added latency, one connection, median | HAProxy | ≤ 1.3 | 2 | ✗ missed |" in text
    assert "| gateway | 10,000 | 2,000–11,000 |" in text


def test_both_paths_answer_under_the_benchmark() -> None:
    command = [sys.executable, "-m", "edge", "--quick", "--port", str(_free_ports(12))]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [DIRECT, OURS, "gateway, ASGI path"]


def _free_ports(many: int) -> int:
    """The first of so many in a row that nobody listens at."""
    for first in range(21_000, 32_000, many):
        with suppress(OSError), ExitStack() as stack:
            for port in range(first, first + many):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise AssertionError("no ports are free")
