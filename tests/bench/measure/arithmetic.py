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
    """A figure of the report, by its path in the document, and the most that it may be."""

    services: int
    name: str
    path: tuple[str, ...]
    most: float
    unit: str

    def judge(self, value: float) -> Verdict:
        """Beyond twice the figure it is no near miss any more."""
        if value <= self.most:
            return "met"
        return "missed" if value <= 2 * self.most else "failed"

    def find(self, fleet: dict[str, Any]) -> float | None:
        """The figure in a fleet's results, or None when that part did not come to its end."""
        found: Any = fleet
        for name in self.path:
            found = found.get(name) if isinstance(found, dict) else None
        return None if found is None else float(found)


_READ_MODEL = ("latency", "10/s", "project", "read model")
TARGETS = (
    Target(8, "commit → read model at 10/s, median", (*_READ_MODEL, "p50 ms"), 60, "ms"),
    Target(8, "commit → read model at 10/s, p99", (*_READ_MODEL, "p99 ms"), 150, "ms"),
    Target(40, "commit → read model at 10/s, median", (*_READ_MODEL, "p50 ms"), 150, "ms"),
    Target(40, "commit → read model at 10/s, p99", (*_READ_MODEL, "p99 ms"), 400, "ms"),
    Target(40, "commit → live feed through the gateway, median", ("news", "p50 ms"), 150, "ms"),
    Target(8, "p99 of others under attack, times that of calm", ("attacks", "p99 times calm"), 2, "×"),
    Target(40, "ready, warm", ("warm start", "seconds"), 45, "s"),
    Target(40, "memory, idle", ("memory", "idle MiB", "together"), 3.5 * 1024, "MiB"),
    Target(40, "memory, after load", ("memory", "after load MiB", "together"), 3.5 * 1024, "MiB"),
    Target(40, "idle CPU", ("idle", "cores", "together"), 0.5, "cores"),
)
"""What the project aims at, on two cores and at its own settings; for the size that is named."""
