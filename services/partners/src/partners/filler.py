"""A partner's topics are filled exactly once, by a relay for each partner; those of a process share what they read.

Which are in force says the database, and who fills them `sharing`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from fastapi import FastAPI

from partners.masking import Grant, shown
from partners.models import Filling, known, topic_of
from partners.sharing import ABOUT, EVERY, Said, Share, bell
from tailrace.db.bells import Ear
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient
from tailrace.kafka import relay
from tailrace.kafka.shared_reader import SharedReader, shared_reader
from tailrace.observability.logs import log
from tailrace.settings import Settings

GROUP = "partners"
_MINUTE = 60.0
_SAID_AGAIN = 30.0
"""Seconds after which it is said again how far one is of which nothing has changed."""


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


@dataclass
class _Loop:
    """What fills one partner: what it was begun for, what ends it, and how many events it gave that were noted."""

    wanted: Wanted
    end: asyncio.Event
    task: asyncio.Task[None]
    noted: int = 0
    lately: deque[tuple[float, int]] = field(default_factory=lambda: deque([(time.monotonic(), 0)]))
    """When it had given how many, a minute back."""

    last: tuple[float, Said] | None = None
    """When it was last said how far it is, and what."""

    def said(self) -> Said | None:
        """How far it is, and what it gave since this was last asked; None while it is not under way, and when it is as it was."""
        progress = relay.under_way.get(self.wanted.name)
        if progress is None:
            return None
        now, fresh = time.monotonic(), progress.passed - self.noted
        self.noted = progress.passed
        self.lately.append((now, progress.passed))
        while self.lately[0][0] < now - _MINUTE:
            self.lately.popleft()
        said = Said(progress.behind, fresh, progress.passed - self.lately[0][1])
        if self.last is not None and self.last[1] == said and not fresh and now < self.last[0] + _SAID_AGAIN:
            return None
        self.last = now, said
        return said


async def fill_all(app: FastAPI, settings: Settings, stop: asyncio.Event) -> None:
    """One loop for each partner of this process's share, of all tenants, until stopped. A changed grant holds from its loop's next transaction on."""
    database: Database = app.state.database
    share = Share(database)
    running: dict[UUID, _Loop] = {}
    async with shared_reader(settings.kafka) as shared:
        with Ear(bell, database).waiting(ABOUT) as rung:
            while not stop.is_set():
                rung.clear()
                try:
                    running = await _look(settings.kafka, shared, share, running, rung)
                except Exception as error:
                    if not is_transient(error):
                        log.error("partners are not looked after", exc_info=error)
                await _first(EVERY, rung, stop)
        await _end(running.values())
    try:
        await share.leave()
    except Exception as error:
        if not is_transient(error):
            raise


async def _look(
    kafka: str, shared: SharedReader, share: Share, running: dict[UUID, _Loop], rung: asyncio.Event
) -> dict[UUID, _Loop]:
    """What runs, once what is not wanted is ending, and what is wanted has begun. Rings when something has ended that others may have."""
    wanted = in_force(
        await share.take({each: said for each, loop in running.items() if (said := loop.said()) is not None})
    )
    for partner_id, loop in running.items():
        if wanted.get(partner_id) != loop.wanted:
            loop.end.set()
    running = _still(running)
    await share.give_back(wanted.keys() | running.keys())
    for partner_id in wanted.keys() - running.keys():
        end = asyncio.Event()
        task = asyncio.create_task(fill(kafka, wanted[partner_id], end, shared))
        loop = running[partner_id] = _Loop(wanted[partner_id], end, task)
        task.add_done_callback(partial(_ended, loop, rung))
    return running


def _ended(loop: _Loop, rung: asyncio.Event, _: object) -> None:
    """One that broke waits for the next look."""
    if loop.end.is_set():
        rung.set()


def _still(running: Mapping[UUID, _Loop]) -> dict[UUID, _Loop]:
    """Those that run; of one that broke, it is said why."""
    for partner_id, loop in running.items():
        if loop.task.done() and (error := loop.task.exception()):
            log.error("a partner's filler ended", partner=str(partner_id), exc_info=error)
    return {partner_id: each for partner_id, each in running.items() if not each.task.done()}


async def _end(running: Iterable[_Loop]) -> None:
    for each in running:
        each.end.set()
    await asyncio.gather(*(each.task for each in running), return_exceptions=True)


async def _first(within: float, *events: asyncio.Event) -> None:
    """Returns when one of these is set, or after so many seconds."""
    tasks = [asyncio.create_task(each.wait()) for each in events]
    try:
        await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def in_force(rows: Iterable[Filling]) -> Mapping[UUID, Wanted]:
    """By partner."""
    return {
        row.partner_id: Wanted(
            row.partner_id,
            Grant(row.owner_id, known(row.types), row.personal),
            row.since,
        )
        for row in rows
    }


async def fill(kafka: str, wanted: Wanted, stop: asyncio.Event, shared: SharedReader) -> None:
    """Fill one partner's topics until stopped."""
    target, passes = partial(topic_of, wanted.partner_id), partial(shown, wanted.grant)
    kinds = wanted.grant.kinds
    await relay.run(kafka, relay.Relay(wanted.name, wanted.topics, wanted.since, kinds, target, passes), stop, shared)
