"""The arithmetic of the report: shares of a sample, and what a figure is worth beside what was aimed at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["met", "missed", "failed"]


def share(values: Sequence[float], part: float) -> float:
    """The smallest value that at least such a part of the sample does not exceed (nearest rank). Raises ValueError for an empty one."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(math.ceil(part * len(values)), 1) - 1]


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Sample size, median, p90, p99 and the largest, in milliseconds."""
    told = {"p50": share(seconds, 0.5), "p90": share(seconds, 0.9), "p99": share(seconds, 0.99), "max": max(seconds)}
    return {"n": len(seconds), **{f"{name} ms": round(value * 1000, 1) for name, value in told.items()}}


@dataclass(frozen=True)
class Target:
    """A figure of the report, by its path in the results of a fleet or of a part, and the bound that it is to keep.

    `of`: of how many services the fleet is, None for a small one; or the name of a part, which is judged at its full size alone.
    """

    of: int | str | None
    name: str
    path: tuple[str, ...]
    bound: float
    unit: str
    at_least: bool = False

    def judge(self, value: float) -> Verdict:
        """Beyond twice the figure, or below half of one that is to be reached, it is no near miss any more."""
        if self.at_least:
            return "met" if value >= self.bound else "missed" if 2 * value >= self.bound else "failed"
        if value <= self.bound:
            return "met"
        return "missed" if value <= 2 * self.bound else "failed"

    def find(self, results: dict[str, Any]) -> float | None:
        """The figure in the results, or None when that part did not come to its end."""
        found: Any = results
        for name in self.path:
            found = found.get(name) if isinstance(found, dict) else None
        return None if found is None else float(found)


LARGE = 40
"""Of how many services a large fleet is; those of fewer are small."""
FULL = {"reports": 1_000_000, "wide": 5_000_000, "ingest": 60_000, "request": 2_000}
"""The parts that stand by themselves, and of how many rows, events or requests each is when it is measured for the report."""
_READ_MODEL = ("latency", "10/s", "project", "read model")
_NEWS = "commit → live feed through the gateway, median"
_READ = "CPU of a read by id in a service, times FastAPI and SQLAlchemy as documented"
TARGETS = (
    Target(None, "commit → read model at 10/s, median", (*_READ_MODEL, "p50 ms"), 60, "ms"),
    Target(None, "commit → read model at 10/s, p99", (*_READ_MODEL, "p99 ms"), 150, "ms"),
    Target(LARGE, "commit → read model at 10/s, median", (*_READ_MODEL, "p50 ms"), 150, "ms"),
    Target(LARGE, "commit → read model at 10/s, p99", (*_READ_MODEL, "p99 ms"), 400, "ms"),
    Target(None, _NEWS, ("news", "p50 ms"), 150, "ms"),
    Target(LARGE, _NEWS, ("news", "p50 ms"), 150, "ms"),
    Target(None, "a view by GraphQL, times that by REST", ("views", "times REST"), 1.3, "×"),
    Target(None, "p99 of others under attack, times that of calm", ("attacks", "p99 times calm"), 2, "×"),
    Target(LARGE, "ready, warm", ("warm start", "seconds"), 45, "s"),
    Target(LARGE, "memory, idle", ("memory", "idle MiB", "together"), 3.5 * 1024, "MiB"),
    Target(LARGE, "memory, after load", ("memory", "after load MiB", "together"), 3.5 * 1024, "MiB"),
    Target(LARGE, "idle CPU", ("idle", "cores", "together"), 0.5, "cores"),
    Target("reports", "the four reports of a month, slowest p95", ("p95 ms", "a month"), 100, "ms"),
    Target("reports", "the four reports of a year by month, slowest p95", ("p95 ms", "a year by month"), 100, "ms"),
    Target("wide", "the widest question, median", ("widest ms",), 200, "ms"),
    Target("request", _READ, ("figures", "read by id", "times peer, with PostgreSQL"), 1, "×"),
    Target("ingest", "events of reports a second", ("per second",), 10_000, "/s", at_least=True),
)
"""What the project aims at, on two cores and at its own settings; for the size that is named."""
