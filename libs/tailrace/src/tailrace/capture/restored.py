"""A database that was put back behind its topic takes no changes until an operator has decided; then a new epoch begins.

Found, it is fenced: the app role loses the right to write the outbox and its marks, so every change is a 503 and consumers wait; the connector is
stopped and its slot dropped. Reads go on. Accepting what was lost raises the epoch, under which sequences are taken up where the database now is,
publishes what nobody has heard, and gives the rights back; the service's own readers go through history once more, since the effects of what they
had read are lost too. Where nothing is lost, as after a failover without a lag, that happens by itself.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2

from tailrace.capture import history, slots
from tailrace.capture.canary import Witness
from tailrace.capture.connect_api import Rest
from tailrace.capture.reconcile import Difference, compare
from tailrace.capture.repair import Repairs, Say
from tailrace.capture.republish import republish
from tailrace.core.operator_error import OperatorError
from tailrace.service import Service
from tailrace.settings import Settings

log = logging.getLogger("tailrace.capture")

NOTHING_LOST = "nothing that readers have seen is missing"
_PENDING = "INSERT INTO database_history (epoch, reason) VALUES ($1, $2) ON CONFLICT (epoch) DO NOTHING"
_FENCE = """REVOKE INSERT ON outbox FROM "{app}"; REVOKE INSERT, UPDATE ON inbox FROM "{app}" """
_OPEN = """GRANT INSERT ON outbox TO "{app}"; GRANT INSERT, UPDATE ON inbox TO "{app}" """
_ACCEPT = "UPDATE database_history SET accepted_at = now(), accepted_because = $1, lost = $2 WHERE accepted_at IS NULL"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of it."""

    epoch: int
    published: int
    lost: int


@dataclass(frozen=True, slots=True)
class Undecided:
    """A database that is behind Kafka: how that shows, and how many events are lost; None while that is not counted."""

    reason: str
    lost: int | None = None

    @property
    def words(self) -> str:
        """A sentence for people."""
        counted = "" if self.lost is None else f"; {self.lost:,} events that readers have seen are not in it"
        return f"its database was restored behind Kafka: {self.reason}{counted}; it takes no changes until that is decided (tailrace restored)"


class Restorations:
    """For one installation; `repairs` knows its connectors."""

    def __init__(self, settings: Settings, repairs: Repairs) -> None:
        self._settings = settings
        self._repairs = repairs

    async def examine(self, service: Service, witness: Witness | None, rest: Rest | None = None) -> Undecided | None:
        """Why this service's database is not the one whose events Kafka holds, or None; what is undecided from before counts.

        With `rest`, Connect's stored offset is compared too. Raises OSError or asyncpg's errors.
        """
        acknowledged = await _acknowledged(rest, service) if rest is not None and witness is not None else None
        try:
            async with slots.connected(service, self._settings) as connection:
                found = await history.look(connection, service, witness)
        except asyncpg.UndefinedTableError:  # it is still to be migrated, which prepares it for this
            return None
        if found.pending is not None:
            return Undecided(found.reason or "", found.lost)
        fault = history.fault(witness, found, acknowledged)
        return None if fault is None else Undecided(fault)

    async def fence(self, service: Service, witness: Witness | None, reason: str) -> None:
        """Stop its changes, at once and in one transaction; a second time it changes nothing. Raises OSError or asyncpg's errors."""
        async with self._owner(service) as owner, owner.transaction():
            await owner.execute("LOCK TABLE database_history IN EXCLUSIVE MODE")
            if await owner.fetchval("SELECT true FROM database_history WHERE accepted_at IS NULL"):
                return
            known = await owner.fetchval("SELECT max(epoch) FROM database_history") or 1
            epoch = 1 + max(known, witness.epoch if witness else 1)
            await owner.execute(_PENDING, epoch, reason)
            await owner.execute(_FENCE.format(app=f"{service.name}_app"))
        log.error("%s takes no changes: %s", service.name, reason)

    async def settle(self, service: Service, witness: Witness | None, reason: str, rest: Rest, say: Say) -> bool:
        """Fence it and compare it with its topic; says whether it could be accepted at once, since nothing is lost.

        Raises RepairUnderWay, OperatorError, OSError or asyncpg's errors; then the next call begins again.
        """
        await self.fence(service, witness, reason)
        await self._repairs.stop(service, rest)
        difference = await self.difference(service)
        if not difference.lost:
            await self.accept(service, rest, say, NOTHING_LOST)
            return True
        async with self._owner(service) as owner:
            await owner.execute("UPDATE database_history SET lost = $1 WHERE accepted_at IS NULL", len(difference.lost))
        return False

    async def difference(self, service: Service) -> Difference:
        """Its topic against its database now. Raises OSError or asyncpg's errors."""
        async with slots.connected(service, self._settings) as connection:
            found = await history.look(connection, service, None)
            return await compare(connection, service, self._settings.kafka, found.epoch)

    async def accept(
        self,
        service: Service,
        rest: Rest,
        say: Say,
        because: str,
        keep: Callable[[Difference, int], None] = lambda difference, epoch: None,
    ) -> Accepted:
        """Go on with the database as it is. `keep` is handed what is lost, and the new epoch, before anything is changed.

        Cut off at any step it can be run again. Raises RepairUnderWay, OperatorError, OSError or asyncpg's errors.
        """
        done: list[Accepted] = []

        async def publish(connection: Any) -> int:
            say("comparing its topic with its database")
            found = await history.look(connection, service, None)
            if found.pending is None:
                raise OperatorError(f"there is nothing to decide about {service.name}", "see: tailrace restored show")
            difference = await compare(connection, service, self._settings.kafka, found.epoch)
            epoch = max(found.pending, difference.next_epoch)
            keep(difference, epoch)
            await self._begin_epoch(service, epoch, difference)
            say(f"publishing {len(difference.unheard):,} rows that nobody has heard")
            rows = await republish(connection, service, self._settings.kafka, difference.since, say, difference.unheard)
            done.append(Accepted(epoch, rows, len(difference.lost)))
            return rows

        await self._repairs.renew(service, rest, say, publish=publish)
        (accepted,) = done
        await self.open(service, because, accepted.lost)
        log.warning("%s goes on in epoch %d; %d events are lost", service.name, accepted.epoch, accepted.lost)
        return accepted

    async def open(self, service: Service, because: str, lost: int) -> None:
        """Give the rights back, and keep what was decided."""
        async with self._owner(service) as owner, owner.transaction():
            await owner.execute(_ACCEPT, because, lost)
            await owner.execute(_OPEN.format(app=f"{service.name}_app"))

    async def _begin_epoch(self, service: Service, epoch: int, difference: Difference) -> None:
        """What is recorded from now on, and what nobody has heard, is of the new epoch."""
        async with self._owner(service) as owner, owner.transaction():
            await owner.execute("SET LOCAL lock_timeout = '10s'")
            await owner.execute("UPDATE database_history SET epoch = $1 WHERE accepted_at IS NULL", epoch)
            await owner.execute(f"ALTER TABLE outbox ALTER COLUMN epoch SET DEFAULT {epoch:d}")
            # The owner is bound by row-level security as well, and these rows are of every tenant.
            await owner.execute("ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY")
            await owner.execute("UPDATE outbox SET epoch = $1 WHERE id = ANY($2)", epoch, difference.unheard)
            await owner.execute("ALTER TABLE outbox FORCE ROW LEVEL SECURITY")

    @asynccontextmanager
    async def _owner(self, service: Service) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self._settings.database(service.name, "owner", "postgresql"), timeout=10)
        try:
            yield connection
        finally:
            await connection.close(timeout=5)


async def _acknowledged(rest: Rest, service: Service) -> int | None:
    """Where Connect's stored offset stands; None also while it is too busy to say, as in a rebalance."""
    try:
        return await rest.position(service.name)
    except httpx2.HTTPStatusError:
        return None
