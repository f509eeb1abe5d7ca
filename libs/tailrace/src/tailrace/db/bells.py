"""A bell is rung in a transaction, and heard when that commits by all processes of the service: something waits there for somebody.

    bell = Bell("notifications")

    await bell.ring(tx, str(user_id))

    with ear.waiting(str(user_id)) as rung: ...

It says that there is something, never what: who hears it looks. One connection of each process listens for all who wait there (PostgreSQL's LISTEN),
and none while nobody waits. Whatever may have been missed while that connection was away rings for everybody.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import bindparam, func, select, text

from tailrace.core.retries.backoff import Backoff
from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_transient
from tailrace.observability.logs import log

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_LOOK_EVERY, _LOOK_WITHIN = 10.0, 5.0
"""How often the connection is tried, which says nothing while nothing rings, and how long that may take; in seconds."""
_LOOK = text("SELECT 1")


class Bell:
    """By its name, within one service's database."""

    def __init__(self, name: str) -> None:
        self.name = f"tailrace_{name}"
        self._ring = select(func.pg_notify(self.name, bindparam("about")))

    async def ring(self, tx: Tx, about: str) -> None:
        """For who waits for this, once the transaction has committed. It holds nothing personal: everybody in the database could listen."""
        await tx.execute(self._ring, {"about": about})


class Ear:
    """Of one process. Make it where an event loop runs."""

    def __init__(self, bell: Bell, database: Database) -> None:
        self._bell, self._database = bell, database
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None

    @contextmanager
    def waiting(self, about: str) -> Iterator[asyncio.Event]:
        """An event that is set when it rang, and whenever it may have: clear it before you look. It is set soon after the first one waits."""
        rung = asyncio.Event()
        self._waiting.setdefault(about, set()).add(rung)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            yield rung
        finally:
            self._waiting[about].discard(rung)
            if not self._waiting[about]:
                del self._waiting[about]
            if not self._waiting and self._listening is not None:
                # It ends in its own time, and who comes next does not wait for it.
                self._listening.cancel()
                self._listening = None

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def _hear(self, about: str) -> None:
        for rung in self._waiting.get(about, ()):
            rung.set()

    def _hear_all(self) -> None:
        for several in self._waiting.values():
            for rung in several:
                rung.set()

    async def _listen(self) -> None:
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            try:
                async with self._connected() as connection:
                    backoff.reset()
                    # What was committed before this was not heard of.
                    self._hear_all()
                    while True:
                        await asyncio.sleep(_LOOK_EVERY)
                        async with asyncio.timeout(_LOOK_WITHIN):
                            await connection.execute(_LOOK)
            except Exception as error:
                if not is_transient(error) and not isinstance(error, OSError | TimeoutError):
                    log.error("bell not heard", bell=self._bell.name, exc_info=error)
            await asyncio.sleep(backoff.next())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        async with self._database.looking() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection

            def hear(_: Any, pid: int, channel: str, about: str) -> None:
                self._hear(about)

            await driver.add_listener(self._bell.name, hear)
            try:
                yield connection
            finally:
                # It goes back to the pool, and is not to hear for others; one that is gone is not put back.
                if not driver.is_closed():
                    await driver.remove_listener(self._bell.name, hear)
