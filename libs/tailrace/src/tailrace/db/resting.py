"""Connections that a rush of requests needed, closed once they have rested: to open one again costs more than most of what is asked of it."""

import asyncio
from time import monotonic
from typing import Any

from sqlalchemy import Pool, event
from sqlalchemy.pool import ConnectionPoolEntry

REST = 20.0
"""Seconds without use after which a connection is closed, unless it is one of those that are kept."""
_LOOK_EVERY = 2.0


class Resting:
    """Of a pool that hands out what was returned last: which connections are at rest, and since when.

    The pool itself would close each as it comes back, beyond those it keeps, and the next of twenty requests at once would open it again: a process
    of PostgreSQL's, a log-in, a look at its types, and every statement prepared once more.
    """

    def __init__(self, pool: Pool, kept: int, rest: float = REST) -> None:
        """`kept` of them are never closed for having rested, `rest` seconds is what the others may."""
        self.kept, self.rest = kept, rest
        self._since: dict[ConnectionPoolEntry, float] = {}
        self._looked = monotonic()
        event.listen(pool, "checkin", self._returned)
        event.listen(pool, "checkout", self._taken)

    def _taken(self, _: Any, entry: ConnectionPoolEntry, __: Any) -> None:
        self._since.pop(entry, None)

    def _returned(self, connection: Any, entry: ConnectionPoolEntry) -> None:
        now = monotonic()
        if connection is not None:
            self._since[entry] = now
        if now - self._looked >= min(_LOOK_EVERY, self.rest):
            self._looked = now
            # Not from here: inside SQLAlchemy's greenlet closing waits, and the pool could hand out meanwhile what is being closed.
            asyncio.get_running_loop().call_soon(self.close_rested)

    def close_rested(self) -> None:
        """Close those that have rested, longest first, down to those kept. Their places in the pool stay, and connect again when they are needed."""
        longest = sorted(self._since, key=self._since.__getitem__)
        until = monotonic() - self.rest
        for entry in longest[: max(0, len(longest) - self.kept)]:
            if self._since[entry] > until:
                break
            del self._since[entry]
            entry.invalidate()
