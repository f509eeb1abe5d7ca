"""Reads, every ten seconds, what `metrics` shows as gauges.

While the database is away, what it alone knows has no value, since none is better than an old one. What an alarm goes by has one always: that the
database is away, that nobody reads the slot, and since when nothing was confirmed.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy import text

from tailrace.db.database import Database
from tailrace.kafka import relay
from tailrace.messaging.consumer import Consumer
from tailrace.observability.logs import log
from tailrace.observability.metrics import Reading, readings

EVERY = 10.0

_DEAD_LETTERS = text(
    "SELECT kind, count(*), extract(epoch FROM now() - min(dead_lettered_at)) FROM dead_letter GROUP BY kind"
)
_TIMERS = text("SELECT name, count(*), count(*) FILTER (WHERE due_at <= now()) FROM timer GROUP BY name")
_ERRANDS = text("SELECT name, count(*), count(*) FILTER (WHERE tries > 0) FROM errand_turn GROUP BY name")
_SLOT = text(
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), active::int,"
    " pg_wal_lsn_diff(confirmed_flush_lsn, '0/0') FROM pg_replication_slots WHERE slot_name = :slot"
)


class Gauges:
    """The gauges of one process. `slot` is None where the service publishes nothing."""

    def __init__(self, database: Database, slot: str | None, consumer: Consumer | None) -> None:
        self._database = database
        self._slot = slot
        self._consumer = consumer
        self._confirmed = -1.0
        self._confirmed_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.read()
            except Exception as error:
                self._lost()
                log.debug("gauges not read", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY)

    async def read(self) -> None:
        """One look at everything. Raises what the driver raises."""
        fresh: dict[str, list[Reading]] = {"tailrace.consumer.lag": await self._lag()}
        fresh["tailrace.relay.lag"] = _relays()
        async with self._database.engine.connect() as connection:
            dead_letters = (await connection.execute(_DEAD_LETTERS)).all()
            timers = (await connection.execute(_TIMERS)).all()
            errands = (await connection.execute(_ERRANDS)).all()
            slot = (await connection.execute(_SLOT, {"slot": self._slot})).one_or_none() if self._slot else None
        fresh["tailrace.dead_letters"] = [({"kind": kind}, count) for kind, count, _ in dead_letters] or [
            ({"kind": "none"}, 0)
        ]
        fresh["tailrace.dead_letters.age"] = [({"kind": kind}, float(age)) for kind, _, age in dead_letters]
        fresh["tailrace.timers.pending"] = [({"timer": name}, count) for name, count, _ in timers]
        fresh["tailrace.timers.overdue"] = [({"timer": name}, overdue) for name, _, overdue in timers]
        fresh["tailrace.errands.waiting"] = [({"errand": name}, count) for name, count, _ in errands]
        fresh["tailrace.errands.tried"] = [({"errand": name}, tried) for name, _, tried in errands]
        fresh["tailrace.database.connections"] = [({}, self._database.in_use)]
        fresh["tailrace.database.up"] = [({}, 1)]
        if self._slot:
            # A slot that is gone holds nothing back, is read by nobody and confirms nothing.
            retained, active, confirmed = (float(value or 0) for value in slot or (0, 0, self._confirmed))
            fresh["tailrace.slot.retained"] = [({}, retained)]
            fresh["tailrace.slot.active"] = [({}, active)]
            fresh["tailrace.outbox.age"] = [({}, self._unconfirmed_for(confirmed))]
        _show(fresh)

    def _lost(self) -> None:
        left: dict[str, list[Reading]] = {"tailrace.database.up": [({}, 0)], "tailrace.relay.lag": _relays()}
        if self._slot:
            left["tailrace.slot.active"] = [({}, 0)]
            left["tailrace.outbox.age"] = [({}, self._unconfirmed_for(self._confirmed))]
        _show(left)

    def _unconfirmed_for(self, confirmed: float) -> float:
        """Seconds since the position that the connector has confirmed last moved; its heartbeat moves it while nothing else does.

        A process that has seen none counts from its first look.
        """
        now = asyncio.get_running_loop().time()
        if confirmed != self._confirmed or not self._confirmed_at:
            self._confirmed, self._confirmed_at = confirmed, now
        return now - self._confirmed_at

    async def _lag(self) -> list[Reading]:
        lag = {} if self._consumer is None else await self._consumer.lag()
        return [({"topic": topic, "partition": str(partition)}, behind) for (topic, partition), behind in lag.items()]


def _relays() -> list[Reading]:
    return [({"relay": name}, each.behind) for name, each in sorted(relay.under_way.items()) if each.behind is not None]


def _show(fresh: Mapping[str, list[Reading]]) -> None:
    """In place of what was shown. A scrape, which may be a thread's, finds each name that is in both at any moment."""
    readings.update(fresh)
    for name in readings.keys() - fresh.keys():
        del readings[name]
