"""Looks at every service's capture, from outbox to topic, says what is wrong with it, and mends it with growing pauses.

Connect's word is not enough: a connector that says RUNNING and carries no canary is stuck. It is restarted, then put again, and at last treated
like one whose slot is lost. A backlog that is being worked off is no silence.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import asyncpg

from tailrace.capture import history, slots
from tailrace.capture.canary import Arrival, CanaryReader, canary_id
from tailrace.capture.connect_api import Rest
from tailrace.capture.history import Server
from tailrace.capture.repair import Repairs
from tailrace.capture.restored import Restorations, Undecided
from tailrace.capture.slots import Outbox, RepairUnderWay, Slot
from tailrace.core.names import slot_name
from tailrace.core.operator_error import OperatorError
from tailrace.core.retries.backoff import Backoff
from tailrace.http.outgoing import UNREACHED
from tailrace.service import Service
from tailrace.settings import Settings

log = logging.getLogger("tailrace.capture")

Kind = Literal["history", "kafka", "slot", "connector", "publication", "silent"]
_AWAY = (*UNREACHED, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What is raised while one of the parts does not answer."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 3600.0
_IN_VAIN = 3
"""Repairs after which a person is told that they do not help."""
_COMPARE_EVERY = 30.0
"""Seconds after which a database is compared with what Kafka knows of it though its server is still the same: it alone may have been put back."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one service's capture: its kind, and a sentence."""

    kind: Kind
    words: str


@dataclass
class Condition:
    """One service's capture as last seen. Times in seconds of the Unix epoch; `latency` in seconds from commit to Kafka."""

    trouble: Trouble | None = None
    late: bool = False
    """Whether a canary is overdue: perhaps a silence, perhaps a backlog."""
    doing: str = ""
    arrived_at: float | None = None
    latency: float | None = None
    repairs: int = 0
    repaired: str = ""


@dataclass
class Memory:
    """What earlier looks left behind, by the monotonic clock."""

    condition: Condition = field(default_factory=Condition)
    steady_since: float = 0.0
    """Since when everything has answered, the connector ran, and we did nothing to it."""
    confirmed: int = -1
    moved_at: float = 0.0
    missing_at: int | None = None
    """Where the log ended when a canary that is still missing had been committed."""
    absent: int = 0
    """Looks in a row that found no connector."""
    forgotten: int = 0
    """Looks in a row that found no canary in Kafka, though some have arrived."""
    lost: bool = False
    """Whether Kafka was seen to lose what it had, which is to be published again."""
    ripe: bool = False
    """Whether a silence lasted long enough since the last cure, with nothing moving, to do more about it."""
    step: int = 0
    """How many cures a silence has had."""
    cures: int = 0
    """How many repairs there were since a canary last arrived that was recorded after one."""
    cured_at: datetime | None = None
    due: float = 0.0
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    work: "asyncio.Task[None] | None" = None
    server: Server | None = None
    """The server's run that was compared with what Kafka knows."""
    compared_at: float = 0.0
    restored: Undecided | None = None
    """What that comparison said."""


class Watch:
    """`await look(rest)` again and again; what it finds is in `conditions`. It also mends, unless `mend` is False."""

    def __init__(
        self, services: Sequence[Service], settings: Settings, *, mend: bool = True, deployed: bool = False
    ) -> None:
        self.services = [service for service in services if service.topic is not None]
        self.settings = settings
        self._mend = mend
        self._repairs = Repairs(settings, deployed=deployed)
        self._restorations = Restorations(settings, self._repairs)
        self._canaries = CanaryReader(settings.kafka)
        self._losses = 0
        self._memory = {service.name: Memory() for service in self.services}
        self._absent: set[str] = set()

    @property
    def conditions(self) -> Mapping[str, Condition]:
        return {name: memory.condition for name, memory in self._memory.items() if name not in self._absent}

    async def close(self) -> None:
        """Cut off what is under way; the next watch takes it up again."""
        work = [memory.work for memory in self._memory.values() if memory.work is not None]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await self._canaries.close()

    async def look(self, rest: Rest, states: Mapping[str, str]) -> None:
        """One look at every service. `states` says what Connect says of each connector there is.

        Raises OSError when PostgreSQL, Kafka or Connect does not answer; then nothing is judged, and silence is counted from zero.
        """
        failure: Exception | None = None
        try:
            arrivals = await self._canaries.newest()
            self._heed_losses()
            async with slots.connected_to_any(self.services, self.settings) as connection:
                found, server = await slots.slots(connection), await history.server(connection)
                self._absent = self._memory.keys() - await slots.installed(connection)
        except _AWAY as error:
            for memory in self._memory.values():
                memory.steady_since = time.monotonic()
            raise ConnectionError(str(error) or type(error).__name__) from error
        for service in self.services:
            if service.name in self._absent:  # never installed here, or uninstalled
                continue
            try:
                broken = slots.fault(found.get(slot_name(service.name)), spare=slots.spare_name(service) in found)
                await self._compare(service, rest, server, at_once=broken is not None)
                await self._look_at(
                    service, rest, states.get(service.name), found, arrivals.get(canary_id(service.name))
                )
            except _AWAY as error:
                self._memory[service.name].steady_since = time.monotonic()
                failure = error
        if failure is not None:
            raise ConnectionError(str(failure) or type(failure).__name__) from failure

    def _heed_losses(self) -> None:
        if self._losses != self._canaries.losses:
            self._losses = self._canaries.losses
            for memory in self._memory.values():
                memory.lost = True

    async def _compare(self, service: Service, rest: Rest, server: Server, *, at_once: bool) -> None:
        """Whether its database is still the one whose events Kafka holds: before anything is mended, which would carry others in their places."""
        memory, now = self._memory[service.name], time.monotonic()
        another = at_once or memory.server != server
        if memory.work is not None or not (another or memory.restored or now - memory.compared_at > _COMPARE_EVERY):
            return
        witness = self._canaries.furthest.get(canary_id(service.name))
        memory.restored = await self._restorations.examine(service, witness, rest if another else None)
        memory.server, memory.compared_at = server, now

    async def _look_at(
        self, service: Service, rest: Rest, state: str | None, found: Mapping[str, Slot], arrival: Arrival | None
    ) -> None:
        memory, now = self._memory[service.name], time.monotonic()
        condition, slot = memory.condition, found.get(slot_name(service.name))
        if arrival is not None:
            condition.arrived_at, condition.latency = arrival.recorded_at.timestamp(), arrival.latency.total_seconds()
        if state != "RUNNING" or not memory.steady_since:
            memory.steady_since = now
        if slot is not None and slot.confirmed != memory.confirmed:
            memory.confirmed, memory.moved_at = slot.confirmed, now
        if memory.work is not None:
            return
        trouble = await self._fault(service, rest, memory, state, slot, slots.spare_name(service) in found)
        if trouble is None and state == "RUNNING":
            trouble = await self._silence(service, memory, arrival)
        self._report(service, memory, trouble)
        ripe = trouble is not None and now >= memory.due and (trouble.kind != "silent" or memory.ripe)
        if memory.restored is not None and memory.restored.lost:
            ripe = False  # the rest is an operator's to decide
        if trouble is not None and self._mend and ripe:
            self._begin(service, rest, memory, trouble)

    async def _fault(
        self, service: Service, rest: Rest, memory: Memory, state: str | None, slot: Slot | None, spare: bool
    ) -> Trouble | None:
        """What is wrong whatever the canary does."""
        if memory.restored is not None:
            return Trouble("history", memory.restored.words)
        fault = slots.fault(slot, spare=spare)
        if fault is None and state == "FAILED" and slot is not None:
            fault = slots.is_ahead(slot, await rest.position(service.name))
        if lost := await self._forgotten(service, memory, slot):
            return Trouble("kafka", lost)
        if fault is not None:
            return Trouble("slot", fault)
        # Connect may leave one out while it starts.
        memory.absent = memory.absent + 1 if state is None else 0
        return (
            Trouble("connector", "its connector is gone")
            if memory.absent > 1 or (not self._mend and state is None)
            else None
        )

    async def _forgotten(self, service: Service, memory: Memory, slot: Slot | None) -> str | None:
        """Seen to be lost, or empty twice: what arrives between a look at Kafka and one at the slot was not missing."""
        if memory.lost:
            return slots.LOST
        witness = self._canaries.furthest.get(canary_id(service.name))
        if witness is not None or slot is None:
            memory.forgotten = 0
            return None
        async with slots.connected(service, self.settings) as connection:
            fault = await slots.forgotten(connection, service, witness)
        memory.forgotten = memory.forgotten + 1 if fault else 0
        return fault if memory.forgotten > 1 or not self._mend else None

    async def _silence(self, service: Service, memory: Memory, arrival: Arrival | None) -> Trouble | None:
        """Whether a canary has been on its way for too long, and not for a backlog's sake."""
        limit = timedelta(seconds=self.settings.canary_limit)
        if arrival is not None and datetime.now(UTC) - arrival.recorded_at < limit:
            memory.missing_at, memory.condition.late = None, False
            if memory.cured_at is None or arrival.recorded_at > memory.cured_at:  # not by the repair itself
                memory.step, memory.cures, memory.due = 0, 0, 0.0
                memory.backoff.reset()
            return None
        async with slots.connected(service, self.settings) as connection:
            outbox = await slots.outbox(connection, service, arrival.recorded_at if arrival else None)
        known, found = memory.condition.trouble, judge(memory, outbox, self.settings.canary_limit, time.monotonic())
        if found is not None and found.kind == "silent" and self._mend and not memory.ripe:
            # Perhaps a backlog that is being worked off; or a silence that has just been taken care of, and is still one.
            return found if known is not None and known.kind == "silent" else None
        return found

    def _report(self, service: Service, memory: Memory, trouble: Trouble | None) -> None:
        known = memory.condition.trouble
        if trouble is not None and (known is None or known.kind != trouble.kind):
            log.error("capture of %s: %s", service.name, trouble.words)
        elif trouble is None and known is not None:
            log.info("capture of %s is well again", service.name)
        if trouble is not None and memory.cures >= _IN_VAIN:
            advice = f"{memory.cures} repairs did not help: see the logs of Connect and Kafka, then tailrace capture repair {service.name} --renew"
            trouble = Trouble(trouble.kind, f"{trouble.words}; {advice}")
        memory.condition.trouble = trouble

    def _begin(self, service: Service, rest: Rest, memory: Memory, trouble: Trouble) -> None:
        """Mend it beside the next looks."""

        async def work() -> None:
            try:
                await self._cure(service, rest, memory, trouble)
            except RepairUnderWay as other:
                log.info("capture of %s: %s", service.name, other)
            except Exception as error:
                words, ours = str(error) or type(error).__name__, isinstance(error, (*_AWAY, OperatorError))
                log.warning("capture of %s could not be repaired: %s", service.name, words, exc_info=not ours)
            finally:
                now = time.monotonic()
                memory.work, memory.condition.doing = None, ""
                memory.steady_since, memory.missing_at = now, None
                memory.due = now + memory.backoff.next()
                memory.cures, memory.cured_at = memory.cures + 1, datetime.now(UTC)

        memory.work = asyncio.create_task(work(), name=f"repair {service.name}")

    async def _cure(self, service: Service, rest: Rest, memory: Memory, trouble: Trouble) -> None:
        def say(words: str) -> None:
            memory.condition.doing = words
            log.warning("capture of %s: %s", service.name, words)

        if memory.restored is not None:
            say("comparing its topic with its database")
            witness = self._canaries.furthest.get(canary_id(service.name))
            if not await self._restorations.settle(service, witness, memory.restored.reason, rest, say):
                return
            memory.restored = None
            done = "restored without a loss, a new epoch begun"
        elif trouble.kind == "connector":
            say("putting its connector again")
            await self._repairs.put_connector(service, rest)
            done = "connector put again"
        elif trouble.kind == "silent" and memory.step < 2:
            what = ("task", "connector")[memory.step]
            memory.step += 1
            say(f"restarting its {what}")
            await self._repairs.restart(service, rest, whole=what == "connector")
            done = f"{what} restarted"
        else:
            memory.step, memory.forgotten = 0, 0
            rows = await self._repairs.renew(service, rest, say, everything=trouble.kind == "kafka")
            if trouble.kind == "kafka":
                memory.lost = False
            done = "repair completed" if rows is None else f"slot recreated, {rows:,} rows published again"
        memory.condition.repairs += 1
        memory.condition.repaired = done
        log.warning("capture of %s: %s", service.name, done)


def judge(memory: Memory, outbox: Outbox, limit: float, now: float) -> Trouble | None:
    """What to say of canaries that did not arrive, and in `memory.ripe`, whether that has lasted with nothing moving. Times in seconds."""
    overdue = outbox.missing is not None and outbox.missing.total_seconds() >= limit
    memory.condition.late = overdue
    if outbox.missing is None or not overdue:
        memory.missing_at, memory.ripe = None, False
        return None
    if memory.missing_at is None:
        memory.missing_at = outbox.written
    words = f"it says RUNNING, and a canary has been on its way for {outbox.missing.total_seconds():.0f} s"
    if not outbox.published:
        return Trouble("publication", f"{words}: the publication does not hold the outbox")
    passed = memory.confirmed >= memory.missing_at
    still_since = memory.steady_since if passed else max(memory.steady_since, memory.moved_at)
    memory.ripe = now - still_since >= limit
    return Trouble("silent", f"{words}, and {'was passed over' if passed else 'nothing moves'}")
