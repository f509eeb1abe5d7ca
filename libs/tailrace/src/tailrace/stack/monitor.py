"""Watches Connect: a failed connector or task is restarted with growing pauses, logged, and shown by `tailrace status`."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from tailrace.stack.connect import Rest
from tailrace.stack.state import Board, Capture

log = logging.getLogger("tailrace.stack")

INTERVAL = 2.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY = 60.0
"""Seconds without a failure after which the pauses start from the shortest again."""


@dataclass
class Patience:
    """When a connector may be restarted next, in seconds of the monotonic clock."""

    due: float = 0.0
    pause: float = FIRST_PAUSE
    last: float = 0.0


class Monitor:
    def __init__(self, url: str, board: Board) -> None:
        self.url = url
        self.board = board
        self._patience: dict[str, Patience] = {}

    async def watch(self) -> None:
        """Runs until cancelled. A Connect that does not answer is its supervisor's business, not ours."""
        async with Rest(self.url) as rest:
            while True:
                try:
                    await self.look(rest)
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    self._note_silence(error)
                await asyncio.sleep(INTERVAL)

    async def look(self, rest: Rest) -> None:
        """One look at every connector, with the restarts that are due."""
        statuses = await rest.statuses()
        known = self.board.state.connectors
        before = {name: (each.state, each.reason, each.restarts) for name, each in known.items()}
        for name, status in statuses.items():
            capture = known.setdefault(name, Capture("UNKNOWN"))
            capture.state, capture.reason = _summary(status)
            if capture.state == "FAILED":
                await self._restart(rest, name, capture)
        for name in set(known) - set(statuses):
            del known[name]
        if before != {name: (each.state, each.reason, each.restarts) for name, each in known.items()}:
            self.board.save()

    async def _restart(self, rest: Rest, name: str, capture: Capture) -> None:
        now = time.monotonic()
        patience = self._patience.setdefault(name, Patience())
        if now < patience.due:
            return
        if now - patience.last > STEADY:
            patience.pause = FIRST_PAUSE
        try:
            await rest.restart(name)
        except aiohttp.ClientResponseError as error:  # in the middle of a rebalance; the next look tries again
            log.warning("connector %s failed and could not be restarted: %s", name, error.message)
            return
        log.warning("connector %s failed, restarting it: %s", name, capture.reason)
        capture.restarts += 1
        patience.last, patience.due = now, now + patience.pause
        patience.pause = min(patience.pause * 2, LONGEST_PAUSE)

    def _note_silence(self, error: Exception) -> None:
        changed = False
        for capture in self.board.state.connectors.values():
            changed = changed or capture.state != "UNKNOWN"
            capture.state, capture.reason = "UNKNOWN", f"Connect does not answer ({type(error).__name__})"
        if changed:
            self.board.save()


def _summary(status: dict[str, Any]) -> tuple[str, str]:
    """The worst state of a connector and its tasks, with the first line of the reason."""
    everything = [status["connector"], *status["tasks"]]
    for each in everything:
        if each["state"] == "FAILED":
            return "FAILED", _first_cause(each.get("trace", ""))
    states = [each["state"] for each in everything]
    return next((state for state in states if state != "RUNNING"), "RUNNING" if status["tasks"] else "UNASSIGNED"), ""


def _first_cause(trace: str) -> str:
    """The innermost `Caused by` of a Java stack trace says most."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes[-1] if causes else lines[0] if lines else "no reason given")[:300]
