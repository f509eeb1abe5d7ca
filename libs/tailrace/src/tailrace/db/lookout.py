"""One look per process at what is due, for everybody in it who works by the clock: timers, jobs, errands, dead letters.

    lookout = Lookout(database, every=5.0)
    post = lookout.post("timers", select(func.min(timer.c.due_at)))

    await post.rest(stop)        # until something of this kind is due, or may be

It sleeps until the next moment due by the database's clock, or until a transaction of this process that makes something due sooner has committed
(`Tx.makes_due`). Where the API is a process of its own, its commits are heard by a bell (NOTIFY). Both are only a matter of speed:
whatever is missed is found by the look that comes every so many seconds whatever happens.
"""

import asyncio
from collections.abc import Collection
from typing import Any

from sqlalchemy import ScalarSelect, Select, cast, extract, func, select
from sqlalchemy.types import Double

from tailrace.db.bells import Bell, Ear
from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_transient
from tailrace.observability.logs import log

AGAIN = 0.5
"""Seconds after which somebody who could not take what is due looks again: another process has it, or a bound is reached."""
_APART = 0.05
"""Seconds between two looks at least, however many transactions make something due."""
_BELL, _ABOUT = Bell("due"), "due"


class Post:
    """Where one kind of work is waited for, by one runner."""

    def __init__(self, lookout: "Lookout", name: str, due: Select[Any]) -> None:
        self.name = name
        self.due: ScalarSelect[Any] = due.scalar_subquery()
        self._lookout = lookout
        self._rung: asyncio.Event | None = None
        self._told = False

    @property
    def resting(self) -> bool:
        """Whether somebody waits here who has not been called yet."""
        return self._rung is not None and not self._rung.is_set()

    def ring(self) -> None:
        if self._rung is not None:
            self._rung.set()

    def told(self) -> None:
        """Something became due that may be of this kind: who is at work now may have looked before it was."""
        self._told = not self.resting

    async def rest(self, stop: asyncio.Event, *tasks: asyncio.Task[None], look_in: float = AGAIN) -> None:
        """Until something of this kind is due, `stop` is set, or one of `tasks` is done; looked for in so many seconds, or sooner."""
        if stop.is_set():
            return
        rung = self._rung = asyncio.Event()
        self._lookout.expect(0 if self._told else look_in)
        self._told = False
        waits = [asyncio.ensure_future(event.wait()) for event in (rung, stop)]
        try:
            await asyncio.wait([*waits, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._rung = None
            for wait in waits:
                wait.cancel()


class Lookout:
    """Of one process. `every` is in seconds: how late, at most, something is found of which nobody told."""

    def __init__(self, database: Database, *, every: float) -> None:
        self._database, self._every = database, every
        self._posts: list[Post] = []
        self._statement: Select[Any] | None = None
        self._looked = self._planned = float("-inf")
        self._sooner = asyncio.Event()

    def post(self, name: str, due: Select[Any]) -> Post:
        """For a kind whose next moment `due` selects: one value, NULL while there is nothing."""
        post = Post(self, name, due)
        self._posts.append(post)
        self._statement = None
        return post

    def told(self, seconds: float) -> None:
        """A transaction of this process has committed that makes something due in so many seconds."""
        if seconds < AGAIN:
            for post in self._posts:
                post.told()
        self.expect(seconds)

    def expect(self, seconds: float) -> None:
        """Look in so many seconds at the latest."""
        moment = max(asyncio.get_running_loop().time() + seconds, self._looked + _APART)
        if moment < self._planned:
            self._planned = moment
            self._sooner.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Call those who rest at their posts when something is due, until `stop`."""
        clock = asyncio.get_running_loop().time
        while not stop.is_set():
            self._looked = clock()
            # Before the look: what is committed while it lasts plans the next one.
            self._planned = self._looked + self._every
            try:
                await self._look()
            except Exception as error:
                if not is_transient(error):
                    log.error("what is due not looked for", exc_info=error)
                self.expect(AGAIN)
            await self._sleep(stop)

    async def listen(self, stop: asyncio.Event) -> None:
        """Hear of what other processes make due, where the API is not in this one."""
        ear = Ear(_BELL, self._database)
        with ear.waiting(_ABOUT) as rung:
            while not stop.is_set():
                await _first(rung, stop)
                if rung.is_set():
                    rung.clear()
                    self.told(0)

    async def _look(self) -> None:
        resting = [post for post in self._posts if post.resting]
        if not resting:
            return
        if self._statement is None:
            now = func.clock_timestamp()
            self._statement = select(
                *(cast(extract("epoch", post.due - now), Double).label(post.name) for post in self._posts)
            )
        row = await self._database.look(self._statement)
        due_in = dict(row._mapping) if row is not None else {}
        for post in resting:
            seconds = due_in.get(post.name)
            if seconds is not None and seconds <= 0:
                post.ring()
            elif seconds is not None:
                self.expect(seconds)

    async def _sleep(self, stop: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        while not stop.is_set() and (left := self._planned - clock()) > 0:
            self._sooner.clear()
            await _first(self._sooner, stop, within=left)


class Announcer:
    """Of a process that makes things due and does not work on them: tells those that do, when they would not look soon enough by themselves."""

    def __init__(self, *, every: float) -> None:
        self._every = every

    async def __call__(self, tx: Tx, seconds: float) -> None:
        # A transaction that notifies takes a lock of the whole server at its commit: so only where it is of use.
        if seconds < self._every:
            await _BELL.ring(tx, _ABOUT)


async def _first(*events: asyncio.Event, within: float | None = None) -> None:
    """Until one of them is set, or so many seconds are over."""
    waits: Collection[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
