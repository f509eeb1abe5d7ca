"""The toy as crash tests run it: with a stream, a deadline and files that requests reach, and a way to look into the process's pool."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from filed import filed, files, routes
from pydantic import Field
from sqlalchemy import text
from toy import Counted, Counter, Note, NoteClosed, NoteWritten, Writer, labels, router

from tailrace.core.payload import Payload
from tailrace.core.values.days import ALWAYS, Calendar, Since
from tailrace.core.values.wire import WireModel
from tailrace.errands.calls import Call
from tailrace.errands.errands import Errand, Outcome
from tailrace.http.routing import Body, Tx, View, tenant_router
from tailrace.messaging.days import CompanyDays
from tailrace.messaging.schedules import Schedule
from tailrace.messaging.timers import Timer

counters = tenant_router("/v1/counters", tag="counters")
reminders = tenant_router("/v1/reminders", tag="reminders")
inside = APIRouter(prefix="/inside")
reminder = Timer("toy.reminder")


class Steps(Body):
    times: int = Field(ge=1, le=200)


class CountView(View):
    id: UUID
    total: int
    version: int


class Reminders(Body):
    keys: list[UUID]


@counters.post("/{id}", response_model=CountView)
async def count(tx: Tx, who: Writer, id: UUID, body: Steps) -> CountView:
    counter = await tx.load_stream(Counter, id)
    for _ in range(body.times):
        counter.record(Counted(by=1))
    return CountView(id=id, total=counter.state.total, version=counter.version)


@reminders.post("", status_code=204, response_model=None)
async def remind_of(tx: Tx, who: Writer, body: Reminders) -> None:
    for key in body.keys:
        await reminder.set(tx, key, datetime.now(UTC) - timedelta(seconds=1))


@reminder.due
async def remind(tx: Tx, key: UUID) -> None:
    tx.add(Note.write(f"remember {key}"))


@inside.get("/pool")
async def pool(request: Request) -> dict[str, int]:
    return {"checked_out": request.app.state.database.engine.pool.checkedout()}


@inside.get("/tenants")
async def tenants(request: Request) -> list[str]:
    """What the tenant setting is, on as many connections at once as the pool gives."""
    engine = request.app.state.database.engine
    together = asyncio.Barrier(15)

    async def look() -> str:
        async with engine.connect() as connection:
            await together.wait()
            return await connection.scalar(text("SELECT coalesce(current_setting('app.tenant_id', true), '')")) or ""

    return list(await asyncio.gather(*[look() for _ in range(15)]))


class Numbered(Payload):
    number: int


class Said(WireModel):
    word: str


errand = Errand("toy.errand", about=Numbered, answer=Said, timeout=1)


async def errand_to(tx: Tx, url: str, number: int) -> UUID:
    """Have a partner asked; its outcome becomes a note."""
    return await errand.send(tx, Call("POST", url, json={"number": number}), Numbered(number=number))


@errand.outcome
async def note_outcome(tx: Tx, outcome: Outcome) -> None:
    tx.add(Note.write(f"outcome {outcome.about.number}: {outcome.answer.word if outcome.answer else outcome.failure}"))


class InTokyo(CompanyDays):
    """Every tenant counts its days there."""

    async def calendar(self, tx: Tx) -> Calendar:
        return Calendar([Since(ALWAYS, "Asia/Tokyo")])


hourly = Schedule("toy.hourly", "5 * * * *", InTokyo(), NoteWritten, NoteClosed)


@hourly.run
async def note_hour(tx: Tx, at: datetime) -> None:
    tx.add(Note.write(f"hour {at:%H:%M}"))


crash_toy = replace(
    filed,
    subscribers=[],
    timers=[reminder, hourly.timer],
    errands=[errand],
    attachments=[files],
    routers=[router, labels, routes, counters, reminders, inside],
)
"""Without subscribers, so that it needs no Kafka; of its schedule, the timer alone."""
