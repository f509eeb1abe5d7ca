"""What tests cost: CPU seconds of a run with everything that it begins, PostgreSQL too.

Other work on the machine changes them little, so they can be had on one that is shared.
"""

import ctypes
import os
import resource
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil
from sandbox import Sandbox

MOST = 25.0
"""CPU seconds of its tests for each further service."""
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of every process that was begun, those on the wall, and what was said last."""

    cpu: float
    wall: float
    said: str


def cost_of_command(sandbox: Sandbox, *arguments: str) -> Cost:
    """Of one run of Python. Raises AssertionError when it fails."""
    began, before, others = time.monotonic(), _used_by_children(), _children()
    said = sandbox.python(*arguments).strip().splitlines() or [""]
    _reap_orphans(others)
    return Cost(_used_by_children() - before, time.monotonic() - began, said[-1].strip("= "))


def cost_of_tests(sandbox: Sandbox, names: Sequence[str], where: Sequence[str]) -> Cost:
    """Of the tests of these services, in one process, so that nothing is started twice. Raises AssertionError when a test fails."""
    paths = [f"services/{name}/tests" for name in names]
    chosen = ["-k", " or ".join(names)]
    return cost_of_command(sandbox, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *paths, *where, *chosen)


def adopt_orphans() -> None:
    """What a child leaves behind when it ends becomes a child of ours, whose CPU time counts (prctl(2)). Once, before the first cost."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def _reap_orphans(others: set[int]) -> None:
    """Wait for those that have come since; `others` may go on for as long as this process."""
    while orphans := _children() - others:
        for pid in orphans:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
