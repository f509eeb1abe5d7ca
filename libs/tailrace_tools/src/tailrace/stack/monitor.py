"""Watches Connect: a failed connector or task is restarted with growing pauses, logged, and shown by `tailrace status`.

What Connect does not know, a lost slot or a connector that carries nothing, is found and mended by `tailrace.capture`; it is shown here as well.
"""

import asyncio
import copy
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2

from tailrace.capture.connect_api import Rest
from tailrace.core.retries.backoff import Backoff
from tailrace.http.outgoing import UNREACHED
from tailrace.kafka.shutdown import heed
from tailrace.stack.state import Board, Capture

if TYPE_CHECKING:
    from tailrace.capture.watch import Watch

log = logging.getLogger("tailrace.stack")

INTERVAL = 2.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
_NO_RESTART = ("history", "kafka", "slot")
_BLIND = 4
"""Looks in a row that could not judge anything, until that is shown: what was well then need not be so now."""
STEADY = 60.0
"""Seconds without a failure after which the pauses start from the shortest again."""


@dataclass
class Restarts:
    """When a connector may be restarted next, in seconds of the monotonic clock."""

    due: float = 0.0
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    last: float = 0.0


class Monitor:
    def __init__(self, url: str, board: Board, capture: "Watch | None" = None) -> None:
        self.url = url
        self.board = board
        self._capture = capture
        self._restarts: dict[str, Restarts] = {}
        self._blind = 0

    async def watch(self) -> None:
        """Runs until cancelled. A Connect that does not answer is its supervisor's business, not ours."""
        try:
            async with Rest(self.url) as rest:
                while True:
                    try:
                        await self.look(rest)
                    except UNREACHED as error:
                        self._note_silence(error)
                    except (Exception, asyncio.CancelledError) as error:
                        heed(error)
                        # Whatever it is: without this loop nothing would be restarted any more.
                        log.exception("a look at the connectors failed")
                    await asyncio.sleep(INTERVAL)
        finally:
            if self._capture is not None:
                await self._capture.close()

    async def look(self, rest: Rest) -> None:
        """One look at every connector, with the restarts and repairs that are due."""
        statuses = await rest.statuses()
        known = self.board.state.connectors
        before = copy.deepcopy(known)
        for name, status in statuses.items():
            capture = known.setdefault(name, Capture("UNKNOWN"))
            capture.state, capture.reason = summary(status)
        for name in set(known) - set(statuses):
            del known[name]
        broken = await self._look_further(rest) if self._capture is not None else set()
        for name, capture in known.items():
            if capture.state == "FAILED" and name not in broken:
                await self._restart(rest, name, capture)
        if before != known:
            self.board.save()

    async def _look_further(self, rest: Rest) -> set[str]:
        """What the canaries and the slots say; returns the connectors that no restart would help."""
        assert self._capture is not None
        known, unjudged = self.board.state.connectors, ""
        try:
            await self._capture.look(rest, {name: capture.state for name, capture in known.items()})
            self._blind = 0
        except OSError as error:
            log.info("capture cannot be judged: %s", error)
            self._blind += 1
            unjudged = f"it cannot be judged: {error}" if self._blind >= _BLIND else ""
        for name, condition in self._capture.conditions.items():
            capture = known.setdefault(name, Capture("MISSING"))
            capture.trouble = condition.trouble.words if condition.trouble else unjudged
            capture.doing, capture.arrived_at, capture.latency = (
                condition.doing,
                condition.arrived_at,
                condition.latency,
            )
            capture.repairs, capture.repaired = condition.repairs, condition.repaired
        return {
            name for name, each in self._capture.conditions.items() if each.trouble and each.trouble.kind in _NO_RESTART
        }

    async def _restart(self, rest: Rest, name: str, capture: Capture) -> None:
        now = time.monotonic()
        restarts = self._restarts.setdefault(name, Restarts())
        if now < restarts.due:
            return
        if now - restarts.last > STEADY:
            restarts.backoff.reset()
        try:
            await rest.restart(name)
        except httpx2.HTTPStatusError as error:  # in the middle of a rebalance; the next look tries again
            log.warning("connector %s failed and could not be restarted: %s", name, error.response.reason_phrase)
            return
        log.warning("connector %s failed, restarting it: %s", name, capture.reason)
        capture.restarts += 1
        restarts.last, restarts.due = now, now + restarts.backoff.next()

    def _note_silence(self, error: Exception) -> None:
        changed = False
        for capture in self.board.state.connectors.values():
            changed = changed or capture.state != "UNKNOWN"
            capture.state, capture.reason = "UNKNOWN", f"Connect does not answer ({type(error).__name__})"
        if changed:
            self.board.save()


def summary(status: dict[str, Any]) -> tuple[str, str]:
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
