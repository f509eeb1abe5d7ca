"""What a partner's topics hold is handed out by HTTP, read from those topics: what was granted, masked and left out is the same to the byte.

Nobody keeps the place but the partner. What let it in is looked at again before each hand-out, and every second.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from partners import cursors, opening
from partners.login import Visitor, look, refused
from partners.refusals import CursorExpired, TooManyReaders
from tailrace.core.errors import Unavailable
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient
from tailrace.kafka.cursor_reader import CursorReader, Expired, Found, Places, reading
from tailrace.kafka.kept_consumers import KeptConsumers
from tailrace.observability.logs import log
from tailrace.settings import Settings

AT_ONCE = 4
"""So many polls and streams of a partner are under way at once, in each process."""
LONGEST_PAGE = 1024 * 1024
"""Bytes. One event is always shown."""
_HEARTBEAT, _LOOK_EVERY = 15.0, 1.0
"""Seconds between two signs of life, and in which what was revoked ends."""
_WITHIN = 5.0
"""Seconds in which Kafka hands out what it has."""
_KEPT, _IDLE = 32, 30.0
"""Consumers that wait in a process for the next poll, and for how many seconds each."""
_KEPT_EVERY = 5.0
"""Seconds in which one is stopped whose partner was revoked or has another password or grant."""
_BEGIN = b"retry: 2000\n\n"
_END = b"event: end\ndata: {}\n\n"


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Before anything is served or fired."""
    await opening.prepare(app, settings)
    app.state.readers = Counter()
    app.state.kept = KeptConsumers[Visitor](_KEPT, _IDLE)


async def look_after(app: FastAPI, _: Settings, stop: asyncio.Event) -> None:
    """Consumers are kept between polls while this runs: none whose visitor would not be let in as it was."""
    kept: KeptConsumers[Visitor] = app.state.kept
    with kept.open():
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _KEPT_EVERY)
            kept.drop()
            try:
                for who in kept.held():
                    if await look(app.state.database, who.partner_id) != who:
                        kept.drop(who)
            except Exception as error:
                if not is_transient(error):
                    log.error("kept consumers are not looked after", exc_info=error)


class Stream(StreamingResponse):
    """Events one after another."""

    media_type = "text/event-stream"


@dataclass(frozen=True)
class HandOut:
    """To one partner, in answer to one request. `readers` counts those of every partner that are under way in this process."""

    database: Database
    kafka: str
    stopping: asyncio.Event
    readers: Counter[UUID]
    kept: KeptConsumers[Visitor]
    """Each under what it was let in as."""
    who: Visitor

    @classmethod
    def of(cls, request: Request, who: Visitor) -> "HandOut":
        """In the process that answers the request."""
        state = request.app.state
        return cls(state.database, state.settings.kafka, state.stopping, state.readers, state.kept, who)

    async def page(
        self, places: Places, most: int, wait: float, gone: Callable[[], Awaitable[bool]]
    ) -> tuple[list[bytes], str]:
        """Up to `most` events behind the places, and the cursor behind those; once there are any, or after so many seconds.

        It waits for nobody who is `gone`. Raises Unauthenticated, CursorExpired, TooManyReaders, Unavailable.
        """
        found: list[bytes] = []
        if self.who.topics:
            async with self._reader(places) as reader:
                found = await _filled(reader, await self._some(reader, most, wait, gone))
                places = reader.places
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), min(wait, _LOOK_EVERY))
        return found, cursors.write(self.who.partner_id, places)

    async def stream(self, places: Places, seconds: float) -> AsyncIterator[bytes]:
        """What comes behind the places, as server-sent events. The first is there once it has the place, or raises what `page` does.

        Ends after so many seconds, with the process, with Kafka, and when what let the partner in holds no more.
        """
        if not self.who.topics:
            yield _BEGIN + _END
            return
        async with self._reader(places) as reader:
            yield _BEGIN
            until = time.monotonic() + seconds
            with suppress(Unavailable):
                async for text in self._lines(reader, until):
                    yield text
            yield _END

    async def _lines(self, reader: CursorReader, until: float) -> AsyncIterator[bytes]:
        said_at = time.monotonic()
        while True:
            left = until - time.monotonic()
            records = await reader.more(100, max(0.05, min(left, _LOOK_EVERY)))
            if not await self._is_let_in():
                return
            for record in records:
                reader.passed(record)
                yield _event(record, cursors.write(self.who.partner_id, reader.places))
            if records:
                said_at = time.monotonic()
            elif self.stopping.is_set() or (left <= 0 and await reader.has_all()):
                return
            elif time.monotonic() - said_at > _HEARTBEAT:
                said_at = time.monotonic()
                yield b": still here\n\n"

    async def _some(
        self, reader: CursorReader, most: int, wait: float, gone: Callable[[], Awaitable[bool]]
    ) -> Sequence[Found]:
        began = time.monotonic()
        while True:
            waited = time.monotonic() - began
            records = await reader.more(most, max(0.05, min(wait - waited, _LOOK_EVERY)))
            if not await self._is_let_in():
                raise refused()
            over = waited >= wait and (await reader.has_all() or waited > _WITHIN)
            if records or over or self.stopping.is_set() or await gone():
                return records

    async def _is_let_in(self) -> bool:
        """Whether everything is as it was when the request came: its password, and what it may read."""
        return await look(self.database, self.who.partner_id) == self.who

    @asynccontextmanager
    async def _reader(self, places: Places) -> AsyncIterator[CursorReader]:
        own = self.who.partner_id
        if self.readers[own] >= AT_ONCE:
            raise TooManyReaders(AT_ONCE)
        self.readers[own] += 1
        try:
            async with reading(self.kafka, self.who.topics, places, kept=self.kept, key=self.who) as reader:
                yield reader
        except Expired:
            raise CursorExpired from None
        finally:
            self.readers[own] -= 1
            if not self.readers[own]:
                del self.readers[own]


async def _filled(reader: CursorReader, records: Sequence[Found]) -> list[bytes]:
    """As many of them as a page holds."""
    found: list[bytes] = []
    size = 0
    for record in records:
        size += len(record.document)
        if found and size > LONGEST_PAGE:
            return found
        reader.passed(record)
        found.append(record.document)
    await reader.settle()
    return found


def _event(record: Found, place: str) -> bytes:
    lines = b"".join(b"data: " + line + b"\n" for line in record.document.splitlines())
    return f"id: {place}\nevent: {record.type}\n".encode() + lines + b"\n"
