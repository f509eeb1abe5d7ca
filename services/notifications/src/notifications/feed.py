"""A person's feed as it comes, as server-sent events (WHATWG HTML): each notification with its place as `id`, for who comes back to name the last.

A stream holds no connection to the database while nothing comes: the bell says when to look. It ends with the token that opened it, with the session
at the gateway, or when the process stops; then a client comes back with `Last-Event-ID`, and misses nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import select

from notifications.models import Notification
from notifications.views import NotificationView
from tailrace.core.context import Context
from tailrace.db.bells import Bell, Ear
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient

bell = Bell("news")
HEARTBEAT = 15.0
"""Seconds between two signs of life while nothing comes: less than what stands between waits for."""
PAUSE = 1.0
"""Seconds until a stream looks again that found the database away."""
COME_BACK = 2000
"""Milliseconds after which a client comes back that lost the stream."""
AT_ONCE = 100
"""So many notifications are read at a time."""


class Live(StreamingResponse):
    """Events one after another."""

    media_type = "text/event-stream"


@dataclass(frozen=True)
class Feed:
    """Of one person. `until` is the moment at which it ends, in seconds of the epoch."""

    database: Database
    ear: Ear
    stopping: asyncio.Event
    context: Context
    user_id: UUID
    until: float

    async def stream(self, after: int) -> AsyncIterator[bytes]:
        """What comes behind a place, until it ends."""
        yield f"retry: {COME_BACK}\n\n".encode()
        with self.ear.waiting(str(self.user_id)) as rung:
            while True:
                rung.clear()
                try:
                    found = await self._behind(after)
                except Exception as error:
                    if not is_transient(error) or time.time() >= self.until or self.stopping.is_set():
                        raise
                    await asyncio.sleep(PAUSE)
                    rung.set()
                    yield b": still here\n\n"
                    continue
                for one in found:
                    after = one.place
                    yield event(one)
                if len(found) == AT_ONCE:
                    continue
                left = self.until - time.time()
                if left <= 0 or self.stopping.is_set():
                    yield b"event: end\ndata: {}\n\n"
                    return
                if not await _first(min(HEARTBEAT, left), rung.wait, self.stopping.wait):
                    yield b": still here\n\n"

    async def _behind(self, place: int) -> Sequence[Notification]:
        """The next of those that are shown."""
        async with self.database.transaction(self.context, read_only=True) as tx:
            query = select(Notification).where(
                Notification.user_id == self.user_id,
                Notification.place > place,
                Notification.shown,
                Notification.deleted_at.is_(None),
            )
            return list(await tx.scalars(query.order_by(Notification.place).limit(AT_ONCE)))


def event(one: Notification) -> bytes:
    """One notification, as its list shows it."""
    view: BaseModel = NotificationView.model_validate(one)
    return f"id: {one.place}\nevent: notification\ndata: {view.model_dump_json()}\n\n".encode()


async def _first(within: float, *waits: Callable[[], Awaitable[object]]) -> bool:
    """Whether one of these came within so many seconds."""
    tasks = [asyncio.ensure_future(wait()) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for task in tasks:
            task.cancel()
