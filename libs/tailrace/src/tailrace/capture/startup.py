"""The connectors at the start of a stack: put, let go on, and where a slot lost something meanwhile, repaired before a service relies on them."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from tailrace.capture import slots
from tailrace.capture.canary import Witness, canary_reader
from tailrace.capture.connect_api import Rest
from tailrace.capture.repair import Repairs
from tailrace.capture.restored import Restorations, Undecided
from tailrace.capture.slots import RepairUnderWay, Slot
from tailrace.core.names import slot_name
from tailrace.core.operator_error import OperatorError
from tailrace.core.progress import Phase
from tailrace.service import Service
from tailrace.settings import Settings

TIMEOUT = 120.0
"""Seconds in which every task must run."""


class Connectors:
    """`say` is told the part, its phase and a detail."""

    def __init__(self, settings: Settings, say: Callable[[str, Phase, str], None]) -> None:
        self._settings = settings
        self._repairs = Repairs(settings)
        self._restorations = Restorations(settings, self._repairs)
        self._say = say
        self.undecided: set[str] = set()
        """Services whose database was restored behind Kafka: they take no changes, and their connectors stand still."""

    async def witnesses(self) -> Mapping[UUID, Witness]:
        """What Kafka knows of each database. Raises OSError while it does not answer."""
        async with canary_reader(self._settings.kafka) as canaries:
            await canaries.newest()
            return canaries.furthest

    async def fence(self, service: Service, witness: Witness | None) -> None:
        """Before anything is written: stop the changes of a service whose database is not the one that Kafka knows."""
        if witness is not None and (behind := await self._restorations.examine(service, witness)) is not None:
            await self._restorations.fence(service, witness, behind.reason)
            self._say("databases", "starting", f"{service.name}: {behind.words}")

    async def prepare(self, rest: Rest, service: Service, witness: Witness | None = None) -> None:
        """Put one connector and let it go on, or repair it. Raises `OperatorError`, OSError or asyncpg's errors.

        One whose database was restored behind Kafka stays stopped, unless nothing is lost.
        """
        behind = await self._restorations.examine(service, witness, rest)
        if behind is not None and not await self._settle(rest, service, witness, behind):
            self.undecided.add(service.name)
            return
        found = await self._slots(service)
        fault = slots.fault(found.get(slot_name(service.name)), spare=slots.spare_name(service) in found)
        lost = await self._forgotten(service, witness)
        if fault is not None or lost is not None:
            await self._repair(rest, service, lost or fault or "", everything=lost is not None)
        else:
            await self._repairs.put_connector(service, rest)
            await rest.resume(service.name)

    async def until_running(self, rest: Rest, services: Sequence[Service]) -> None:
        """Returns when every task runs. Raises `OperatorError` with a reason when they do not in time."""
        by_name = {service.name: service for service in services if service.name not in self.undecided}
        suspects = set(by_name)
        deadline = time.monotonic() + TIMEOUT
        while True:
            statuses = await rest.statuses()
            waiting = sorted(name for name in by_name if not _runs(statuses.get(name)))
            if not waiting:
                return
            for name in [name for name in waiting if name in suspects and _trace(statuses.get(name))]:
                suspects.discard(name)
                await self._repair_a_stranger(rest, by_name[name])
            if time.monotonic() > deadline:
                reason = next((trace for name in waiting if (trace := _trace(statuses.get(name)))), None)
                raise OperatorError(
                    f"these connectors do not run: {', '.join(waiting)}",
                    f"the reason: {reason.splitlines()[0] if reason else 'Connect gives none; see its log'}",
                )
            more = " …" if len(waiting) > 3 else ""
            self._say("connectors", "starting", f"waiting for {', '.join(waiting[:3])}{more}")
            await asyncio.sleep(0.2)

    async def _settle(self, rest: Rest, service: Service, witness: Witness | None, behind: Undecided) -> bool:
        def say(words: str) -> None:
            self._say("connectors", "starting", f"{service.name}: {words}")

        say(behind.words)
        try:
            return await self._restorations.settle(service, witness, behind.reason, rest, say)
        except RepairUnderWay as other:
            say(str(other))
            return False

    async def _repair_a_stranger(self, rest: Rest, service: Service) -> None:
        """A slot was made by hand where one was lost: the connector refuses to read from it."""
        slot = (await self._slots(service)).get(slot_name(service.name))
        fault = slots.is_ahead(slot, await rest.position(service.name)) if slot else None
        if fault is not None:
            await self._repair(rest, service, fault)

    async def _repair(self, rest: Rest, service: Service, fault: str, *, everything: bool = False) -> None:
        def say(words: str) -> None:
            self._say("connectors", "starting", f"{service.name}: {fault}; {words}")

        try:
            await self._repairs.renew(service, rest, say, everything=everything)
        except RepairUnderWay as other:
            say(str(other))

    async def _forgotten(self, service: Service, witness: Witness | None) -> str | None:
        async with slots.connected(service, self._settings) as connection:
            return await slots.forgotten(connection, service, witness)

    async def _slots(self, service: Service) -> Mapping[str, Slot]:
        async with slots.connected(service, self._settings) as connection:
            return await slots.slots(connection)


def _runs(status: Mapping[str, Any] | None) -> bool:
    return bool(status and status["tasks"]) and all(task["state"] == "RUNNING" for task in (status or {})["tasks"])


def _trace(status: Mapping[str, Any] | None) -> str | None:
    """What a failed task says, or None."""
    return next((str(task["trace"]) for task in (status or {}).get("tasks", ()) if task.get("trace")), None)
