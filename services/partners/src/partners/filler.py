"""A partner's topics are filled exactly once, by a relay for each partner. Which are in force says the database, and is looked up all the time."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import select

from contracts.registry import events_by_type
from partners.masking import Grant, shown
from partners.models import Filling, topic_of
from tailrace.core.context import Context
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient
from tailrace.kafka import relay
from tailrace.observability.logs import log
from tailrace.settings import Settings

GROUP = "partners"
_LOOK_EVERY = 0.5


@dataclass(frozen=True)
class Wanted:
    """What is in force for one partner."""

    partner_id: UUID
    grant: Grant
    since: datetime | None

    @property
    def name(self) -> str:
        """The group of its offsets, and its transactional id."""
        return f"{GROUP}.{self.partner_id}"

    @property
    def topics(self) -> list[str]:
        return sorted({event.topic for event in self.grant.types.values()})


_Running = tuple[Wanted, asyncio.Event, asyncio.Task[None]]
"""What a loop was begun for, what ends it, and the loop."""


async def fill_all(app: FastAPI, settings: Settings, stop: asyncio.Event) -> None:
    """One loop for each partner that is open, of all tenants, until stopped. A grant that changed holds from its loop's next transaction on."""
    database: Database = app.state.database
    running: dict[UUID, _Running] = {}
    while not stop.is_set():
        try:
            wanted = await in_force(database)
            for partner_id, (had, end, _) in running.items():
                if wanted.get(partner_id) != had:
                    end.set()
            running = _still(running)
            for partner_id in wanted.keys() - running.keys():
                end = asyncio.Event()
                loop = asyncio.create_task(fill(settings.kafka, wanted[partner_id], end))
                running[partner_id] = wanted[partner_id], end, loop
        except Exception as error:
            if not is_transient(error):
                log.error("partners are not looked after", exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK_EVERY)
    for _, end, _ in running.values():
        end.set()
    await asyncio.gather(*(loop for _, _, loop in running.values()), return_exceptions=True)


def _still(running: Mapping[UUID, _Running]) -> dict[UUID, _Running]:
    """Those that run; of one that broke, it is said why."""
    for partner_id, (_, _, loop) in running.items():
        if loop.done() and (error := loop.exception()):
            log.error("a partner's filler ended", partner=str(partner_id), exc_info=error)
    return {partner_id: each for partner_id, each in running.items() if not each[2].done()}


async def in_force(database: Database) -> Mapping[UUID, Wanted]:
    """By partner."""
    async with database.transaction(Context(tenant_id=None), read_only=True) as tx:
        rows = await tx.scalars(select(Filling))
        return {
            row.partner_id: Wanted(
                row.partner_id,
                Grant(row.owner_id, {each: events_by_type()[each] for each in row.types}, row.personal),
                row.since,
            )
            for row in rows
        }


async def fill(kafka: str, wanted: Wanted, stop: asyncio.Event) -> None:
    """Fill one partner's topics until stopped."""
    target, passes = partial(topic_of, wanted.partner_id), partial(shown, wanted.grant)
    await relay.run(kafka, relay.Relay(wanted.name, wanted.topics, wanted.since, target, passes), stop)
