"""/v1/events: what a partner's topics hold, for partners that do not speak Kafka: page by page from a cursor, or as it comes.

It is read out of those topics, so that what was granted, masked and left out is the same, to the byte. Nobody keeps a place but the partner.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from fastapi import Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict

from partners import cursors
from partners.login import Asking, Visitor, look
from partners.refusals import CursorExpired, NotThisPartner, TooManyReaders
from tailrace.core.errors import Unavailable
from tailrace.http.routing import View
from tailrace.http.strict import declared, public_router
from tailrace.kafka.reading import Expired, TopicReader, reading
from tailrace.kafka.structured import structured

router = public_router(tag="events", about="What a partner may hear of, for partners that do not speak Kafka.")
AT_ONCE = 4
"""So many polls and streams of a partner are under way at once, in each process."""
LONGEST_PAGE = 1024 * 1024
"""Bytes. One event is always shown."""
_HEARTBEAT, _COME_BACK = 15.0, 2000
"""Seconds, milliseconds: between two signs of life, and until who lost the stream comes back."""
_LOOK_EVERY = 1.0
"""Seconds in which what was revoked ends."""
_END = f"retry: {_COME_BACK}\nevent: end\ndata: {{}}\n\n".encode()
_OF_WHAT_IS_THERE = 5.0
"""Seconds in which Kafka hands out what it has."""

Cursor = Annotated[
    str | None,
    Query(max_length=cursors.LONGEST, description="`cursor` of the page before. Without it, from the beginning."),
]
AtMost = Annotated[int, Query(ge=1, le=1000, description="How many events a page has at most.")]
Wait = Annotated[
    int, Query(ge=0, le=30, description="For how many seconds the answer may wait for an event when there is none.")
]
Lasts = Annotated[
    int,
    Query(ge=0, le=3600, description="For how many seconds the stream lasts at most; 0 shows what there is, and ends."),
]
LastEvent = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=cursors.LONGEST,
        description="The `id` of the last event that one has; goes before `cursor`.",
    ),
]


class PartnerEventView(View):
    """A CloudEvent in JSON (structured mode), with all attributes that the record has as headers."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    specversion: str
    """Of CloudEvents."""
    id: UUID
    """The event's. One that comes twice is the same event."""
    type: str
    """As in `order.confirmed`."""
    source: str
    """Which service published it."""
    subject: UUID
    """What it happened to."""
    sequence: str
    """Counts the events of its subject, from 1, by one. Types that were not granted count too."""
    data: Any
    """The record's value, as `dataschema` describes it."""


class PartnerEventsView(View):
    """A page of events."""

    events: list[PartnerEventView]
    """Those of one subject in their order."""
    cursor: str
    """Where the next page begins; also when this one has no events."""


class Stream(StreamingResponse):
    """Events one after another."""

    media_type = "text/event-stream"


@router.get("/v1/events", response_model=PartnerEventsView, responses=declared(401, 410, 429))
async def read_events(
    request: Request, who: Asking, cursor: Cursor = None, limit: AtMost = 500, wait: Wait = 0
) -> Response:
    """The partner's events behind a cursor. It logs in with its user and password at Kafka (HTTP Basic), and keeps the cursor."""
    places = cursors.read(who.partner_id, cursor, "cursor")
    found: list[bytes] = []
    if who.topics:
        with _one_more(request, who), _problems():
            async with reading(request.app.state.settings.kafka, who.topics, places) as reader:
                records = await _some(request, who, reader, limit, wait)
                found = await _page(reader, records)
                places = reader.places
    else:
        await _stopping(request, min(wait, _LOOK_EVERY))
    next_cursor = cursors.write(who.partner_id, places).encode()
    body = b'{"events":[' + b",".join(found) + b'],"cursor":"' + next_cursor + b'"}'
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/v1/events/stream", response_class=Stream, response_model=None, responses=declared(401, 410, 429))
async def read_event_stream(
    request: Request, who: Asking, cursor: Cursor = None, last_event_id: LastEvent = None, seconds: Lasts = 3600
) -> Stream:
    """The partner's events as they come, as server-sent events: the type as `event`, the place as `id`, the CloudEvent as `data`. `event: end` says
    that one may come back; who names the last `id` misses none. Who was revoked, or has a new password, is let in no more."""
    field = "Last-Event-ID" if last_event_id else "cursor"
    places = cursors.read(who.partner_id, last_event_id or cursor, field)
    told = _told(request, who, places, time.monotonic() + seconds)
    # What is wrong with the place or with Kafka is to be a problem, not a stream.
    with _problems():
        first = await anext(told)

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for text in told:
            yield text

    answer = Stream(whole())
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Disposition"] = 'attachment; filename="events.txt"'
    return answer


async def _told(request: Request, who: Visitor, places: dict[str, list[int]], until: float) -> AsyncIterator[bytes]:
    """The lines of a stream. The first comes once the reader has its place. Ends when what let the partner in holds no more."""
    database, stopping = request.app.state.database, request.app.state.stopping
    if not who.topics:
        yield _END
        return
    with _one_more(request, who):
        async with reading(request.app.state.settings.kafka, who.topics, places) as reader:
            yield f"retry: {_COME_BACK}\n\n".encode()
            said_at = time.monotonic()
            while True:
                left = until - time.monotonic()
                records = await reader.more(100, max(0.05, min(left, _LOOK_EVERY)))
                if await look(database, who.partner_id) != who:
                    break
                for record in records:
                    reader.passed(record)
                    yield _event(record, cursors.write(who.partner_id, reader.places))
                if records:
                    said_at = time.monotonic()
                elif stopping.is_set() or (left <= 0 and await reader.has_all()):
                    break
                elif time.monotonic() - said_at > _HEARTBEAT:
                    said_at = time.monotonic()
                    yield b": still here\n\n"
            yield _END


def _event(record: ConsumerRecord, place: str) -> bytes:
    type_ = dict(record.headers).get("ce_type", b"").decode("utf-8", "replace")
    lines = b"".join(b"data: " + line + b"\n" for line in structured(record).splitlines())
    return f"id: {place}\nevent: {type_}\n".encode() + lines + b"\n"


async def _some(request: Request, who: Visitor, reader: TopicReader, limit: int, wait: float) -> list[ConsumerRecord]:
    """The next records, when there are any within so many seconds. Raises NotThisPartner for who may read no more by then."""
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        records = await reader.more(limit, max(0.05, min(wait - waited, _LOOK_EVERY)))
        if await look(request.app.state.database, who.partner_id) != who:
            raise NotThisPartner
        over = waited >= wait and (await reader.has_all() or waited > _OF_WHAT_IS_THERE)
        if records or over or request.app.state.stopping.is_set() or await request.is_disconnected():
            return records


async def _page(reader: TopicReader, records: list[ConsumerRecord]) -> list[bytes]:
    """As many of them as a page holds."""
    found: list[bytes] = []
    size = 0
    for record in records:
        event = structured(record)
        if found and size + len(event) > LONGEST_PAGE:
            return found
        reader.passed(record)
        found.append(event)
        size += len(event)
    await reader.settle()
    return found


@contextmanager
def _one_more(request: Request, who: Visitor) -> Iterator[None]:
    """Raises TooManyReaders."""
    readers: Counter[UUID] = request.app.state.readers
    if readers[who.partner_id] >= AT_ONCE:
        raise TooManyReaders(AT_ONCE)
    readers[who.partner_id] += 1
    try:
        yield
    finally:
        readers[who.partner_id] -= 1
        if not readers[who.partner_id]:
            del readers[who.partner_id]


@contextmanager
def _problems() -> Iterator[None]:
    """What goes wrong while a partner's topics are read, as what it is told."""
    try:
        yield
    except Expired:
        raise CursorExpired from None
    except (KafkaError, OSError) as error:
        raise Unavailable("Kafka does not answer at the moment; send the same cursor again.") from error


async def _stopping(request: Request, within: float) -> None:
    try:
        await asyncio.wait_for(request.app.state.stopping.wait(), within)
    except TimeoutError:
        return
