"""From the commit of an event to its notification in a feed that is read as it comes, through the gateway: tasks for people who listen, in turn.

It begins when PostgreSQL committed the event (`track_commit_timestamp`), and ends when a client of ours has the notification, by the same clock.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Collection
from typing import Any, Self
from uuid import UUID

import aiohttp
import asyncpg
from mix.client import Session, User
from mix.setup import PASSWORD

from measure import use
from measure.arithmetic import summary
from measure.installation import Installation
from notifications.mailing import STORM

PEOPLE = 41
"""Who listen. The first one's notifications are slower than any after them, and no part of the sample; each is told as often as is not folded."""
_PAUSE = 0.1
"""Seconds between two events, on average: random, so that they are never in step with who polls."""
_TIMEOUT = 60.0
_COMMITTED = "SELECT aggregate_id, pg_xact_commit_timestamp(xmin) FROM outbox WHERE aggregate_id = ANY($1) AND type = 'task.created'"


class Listener:
    """Somebody's feed as it comes; `seen` says when the notification about each document was there."""

    def __init__(self, http: aiohttp.ClientSession, gateway: str, user: User) -> None:
        self._http, self._url = http, f"{gateway}/v1/notifications/stream"
        self._headers = {"Authorization": f"Bearer {user.token}"}
        self.seen: dict[UUID, float] = {}

    async def __aenter__(self) -> Self:
        self._answer = await self._http.get(self._url, headers=self._headers)
        assert self._answer.status == 200, f"the feed answered {self._answer.status}"
        # Its first line: from here on nothing is missed.
        await self._answer.content.readline()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._answer.close()

    async def has(self, ids: Collection[UUID]) -> None:
        """Returns when all of these were told of. Raises TimeoutError."""
        deadline = time.monotonic() + _TIMEOUT
        while missing := [id for id in ids if id not in self.seen]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(missing)} of {len(ids)} events are not in the feed")
            await asyncio.sleep(0.05)

    async def _read(self) -> None:
        async for line in self._answer.content:
            if line.startswith(b"data: "):
                now, told = time.time(), json.loads(line.removeprefix(b"data: "))
                if told.get("document_id") is not None:
                    self.seen.setdefault(UUID(told["document_id"]), now)


async def measure(
    asking: Session, operator: User, installation: Installation, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """How long it took, of every event but the first person's. Raises TimeoutError when one did not arrive."""
    say("people who listen")
    admin, dice = await use.customer(asking, operator), random.Random(f"{seed}/news")
    people = [await _person(asking, admin, number) for number in range(PEOPLE)]
    say(f"{PEOPLE * STORM} events, each for one of {PEOPLE} people")
    took: list[float] = []
    database = await asyncpg.connect(installation.postgres.rsplit("/", 1)[0] + "/activities")
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as http:
            for id, user in people:
                async with Listener(http, installation.gateway, user) as feed:
                    given = [await _give(admin, id, number, dice) for number in range(STORM)]
                    await feed.has(given)
                committed = {row[0]: row[1].timestamp() for row in await database.fetch(_COMMITTED, given)}
                took += [feed.seen[each] - committed[each] for each in given]
    finally:
        await database.close()
    return summary(took[STORM:])


async def _person(asking: Session, admin: User, number: int) -> tuple[str, User]:
    email = f"listener-{number}@{admin.tenant}.example"
    body = {"email": email, "name": f"Listener {number}", "password": PASSWORD, "roles": ["viewer"]}
    made = await admin.post("/v1/auth/users", body, key=f"listener/{number}")
    return made["id"], await asking.user(admin.tenant, email, PASSWORD)


async def _give(admin: User, user_id: str, number: int, dice: random.Random) -> UUID:
    """A task; its id."""
    await asyncio.sleep(dice.expovariate(1 / _PAUSE))
    made = await admin.post("/v1/tasks", {"title": "Measured", "user_id": user_id}, key=f"task/{user_id}/{number}")
    return UUID(made["id"])
