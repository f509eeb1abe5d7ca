"""What a process takes on: nothing for a caller who is gone or has given up, and no more than it answers soon.

How busy a process is shows in how late its event loop is: whatever waits for a lock or a disk makes nobody late, and work does.
While the loop is later than `LATE` for longer than a moment, fewer requests are admitted at once, down to `ALWAYS`. The others get a 503,
which costs a small part of an answer. What was admitted is answered soon, instead of everything late.

A read ends when its caller hangs up, or when the time that the caller gives it is over. A write that was begun is finished, since its answer is kept
under its key.
"""

import asyncio
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.core.errors import Unavailable
from tailrace.observability import metrics
from tailrace.observability.logs import log

DEADLINE = "x-envoy-expected-rq-timeout-ms"
"""The header in which a caller says how many milliseconds it waits. Envoy, and meshes built of it, send it by themselves; the gateway does."""
HANG_UP = "hang_up"
"""In a request's state: what is called when its connection is lost (`tailrace.http.protocol.uvicorn_protocol`)."""
TAKEN_ON = "taken_on"
"""In a request's state: it was taken on before it came here, and has its place."""
LATE = 0.025
"""Seconds by which a busy loop may be late."""
ALWAYS = 8
"""Requests that a process works on at once however busy it is."""
_TICK = 0.05
_MOMENT = 10
"""Ticks in a row: a burst is no overload."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FREE = ("/health/", "/metrics")
_LONGEST = 600_000


class Overloaded(Unavailable):
    """503: the process has as much to do as it can answer soon."""

    slug, title = "overloaded", "Overloaded at the moment"


class Limit:
    """How many requests are worked on at once, by how late the event loop is. It looks while there are any, and rests otherwise."""

    def __init__(self, most: int, *, always: int = ALWAYS, late: float = LATE) -> None:
        self._most = float(most)
        self._always = float(min(always, most))
        self._late = late
        self.now = self._most
        self.busy = 0
        self._looking = False
        self._late_for = 0

    def enter(self) -> bool:
        """Whether one more is taken on; then `leave` has to follow."""
        if self.busy >= self.now:
            return False
        self.busy += 1
        if not self._looking:
            self._looking = True
            self._look_again(asyncio.get_running_loop())
        return True

    def leave(self) -> None:
        self.busy -= 1

    def note(self, late: float) -> None:
        """The loop was so many seconds late: one more, or, when that lasts, fewer by a tenth."""
        self._late_for = self._late_for + 1 if late > self._late else 0
        if not self._late_for:
            self.now = min(self._most, self.now + 1)
        elif self._late_for > _MOMENT:
            self.now = max(self._always, min(self.now, self.busy + 1) * 0.9)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_at(due := loop.time() + _TICK, self._look, loop, due)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.note(loop.time() - due)
        if self.busy or self.now < self._most:
            self._look_again(loop)
        else:
            self._looking = False


class AdmissionControl:
    """ASGI middleware. A place is held until the answer begins: what is sent for a long time after that waits for its client.

    The limit is the process's, in the state of the app (`app.state.limit`); without one, as in tests that call the app, all are taken on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_FREE):
            await self._app(scope, receive, send)
            return
        limit: Limit | None = getattr(scope["app"].state, "limit", None)
        has_place = scope.get("state", {}).pop(TAKEN_ON, False)
        if limit is not None and not has_place and not limit.enter():
            metrics.refused_busy()
            raise Overloaded("It has as much to do as it can answer soon; try again shortly.")
        work = _Work(limit)
        try:
            if scope["method"] in _SAFE:
                await self._read(scope, receive, send, work)
            else:
                await self._app(scope, receive, work.ending_with(send))
        finally:
            work.answered()

    async def _read(self, scope: Scope, receive: Receive, send: Send, work: "_Work") -> None:
        """Raises Unavailable when its time is over. Returns without an answer when nobody is there to take it."""
        state = scope.setdefault("state", {})
        state[HANG_UP] = work.hang_up
        try:
            async with asyncio.timeout(deadline_of(scope)) as work.timeout:
                await self._app(scope, receive, work.ending_with(send))
        except TimeoutError as error:
            if work.timeout is None or not work.timeout.expired():
                raise
            raise Unavailable("The time that the caller gave is over.") from error
        except asyncio.CancelledError:
            if not work.gone:
                raise
            work.task.uncancel()
            log.info("caller gone")
        finally:
            work.timeout = None
            state.pop(HANG_UP, None)


class _Work:
    """One request that was taken on, by the task that works on it."""

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit
        task = asyncio.current_task()
        assert task is not None
        self.task: asyncio.Task[Any] = task
        self._is_answered = False
        self.timeout: asyncio.Timeout | None = None
        self.gone = False

    def ending_with(self, send: Send) -> Send:
        """`send`, with what is to happen when the answer begins."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answered()
            await send(message)

        return send_on

    def answered(self) -> None:
        """Its place is free, and no time runs any more."""
        if self._is_answered:
            return
        self._is_answered = True
        if self._limit is not None:
            self._limit.leave()
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(None)

    def hang_up(self) -> None:
        """Its caller is gone."""
        if not self._is_answered:
            self.gone = True
            self.task.cancel()


def deadline_of(scope: Scope) -> float | None:
    """Seconds that the caller gives it, or None when it does not say, or says nothing that counts."""
    text = Headers(scope=scope).get(DEADLINE, "")
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _LONGEST:
        return None
    return int(text[:9]) / 1000
