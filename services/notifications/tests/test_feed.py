"""The feed as it comes: nothing is missed between two streams or two commits, and who waits holds no connection to the database."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from notifications import feed, telling
from notifications.feed import Feed, bell
from notifications.models import MailboxPlace
from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db import bells
from tailrace.db.bells import Ear
from tailrace.db.error_classes import is_transient
from tailrace_testing.gateway import eventually

from .conftest import NEWS, Office


class Listener:
    """Somebody's stream, and what came by it."""

    def __init__(self, office: Office, ear: Ear, user: UUID, after: int = 0, *, lasts: float = 600.0) -> None:
        self.stopping = asyncio.Event()
        context = Context(office.h.tenant, user)
        feed = Feed(office.h.database, ear, self.stopping, context, user, time.time() + lasts)
        self.said: list[str] = []
        self.task = asyncio.create_task(self._listen(feed.stream(after)))

    async def _listen(self, stream: AsyncIterator[bytes]) -> None:
        async for part in stream:
            self.said.append(part.decode())

    @property
    def titles(self) -> list[str]:
        return [one["title"] for _, one in self.events]

    @property
    def events(self) -> list[tuple[int, dict[str, Any]]]:
        """The id and the data of each."""
        found = []
        for part in self.said:
            fields = dict(line.partition(": ")[::2] for line in part.splitlines() if not line.startswith(":"))
            if fields.get("event") == "notification":
                found.append((int(fields["id"]), json.loads(fields["data"])))
        return found

    async def has(self, *titles: str) -> None:
        async def now() -> list[str]:
            return self.titles

        await eventually(now, lambda found: found == list(titles), within=60, what="the events")


def titles(*numbers: int) -> list[str]:
    return [f"承認依頼: Q-{number}" for number in numbers]


@pytest.fixture
async def ear(office: Office) -> AsyncIterator[Ear]:
    ear = Ear(bell, office.h.database)
    yield ear
    assert len(ear) == 0


async def _end(*listeners: Listener) -> None:
    for each in listeners:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in listeners), return_exceptions=True)


async def test_what_comes_is_shown_to_its_person_alone_and_who_comes_back_misses_nothing(
    office: Office, ear: Ear
) -> None:
    bo, cy = Listener(office, ear, office.bo), Listener(office, ear, office.cy)
    await office.asks(office.bo, number="Q-1")
    await bo.has(*titles(1))
    await _end(bo)
    await office.asks(office.bo, number="Q-2")
    again = Listener(office, ear, office.bo, bo.events[-1][0])
    await again.has(*titles(2))
    await office.asks(office.bo, number="Q-3")
    await again.has(*titles(2, 3))
    assert [place for place, _ in again.events] == [2, 3]
    assert cy.titles == []
    await _end(again, cy)


async def test_many_who_wait_hold_one_connection(office: Office, ear: Ear) -> None:
    listeners = [Listener(office, ear, office.bo) for _ in range(60)]

    async def in_use() -> int:
        return office.h.database.in_use if all(each.said for each in listeners) else 99

    await eventually(in_use, lambda used: used == 1, within=60, what="one connection")
    await office.asks(office.bo)
    for each in listeners:
        await each.has(*titles(1))
    await _end(*listeners)
    await eventually(in_use, lambda used: used == 0, within=60, what="no connection")


async def test_places_follow_one_another_as_commits_do(office: Office, ear: Ear) -> None:
    """The second waits for the first, so that nobody sees place 2 and goes on behind it before there is a place 1."""

    async def tell(tx: Any, title: str) -> None:
        words: Any = {"en": (title, ""), "ja": (title, "")}
        await telling.tell(tx, telling.News(cause_id=uuid7(), kind="message", words=words, values={}), [office.bo])

    async def second() -> None:
        async with office.h.tx() as tx:
            await tell(tx, "second")

    listener = Listener(office, ear, office.bo)
    async with office.h.tx() as tx:
        await tell(tx, "first")
        other = asyncio.create_task(second())
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        await eventually(lambda: office.h.admin.fetchval(waits), lambda count: count > 0, within=60, what="the wait")
        assert listener.titles == []
    await other
    await listener.has("first", "second")
    assert [place for place, _ in listener.events] == [1, 2]
    await _end(listener)


async def test_what_came_while_the_bell_was_not_heard_is_shown(
    office: Office, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "_LOOK_EVERY", 0.5)
    monkeypatch.setattr(feed, "HEARTBEAT", 500.0)
    listener = Listener(office, ear, office.bo)
    await office.asks(office.bo, number="Q-1")
    await listener.has(*titles(1))
    ended = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')"""
    assert await office.h.admin.fetchval(ended)
    await office.asks(office.bo, number="Q-2")
    await listener.has(*titles(1, 2))
    await _end(listener)


async def test_it_outlives_the_databases_absence(office: Office, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bells, "_LOOK_EVERY", 0.05)
    monkeypatch.setattr(feed, "PAUSE", 0.05)
    listener = Listener(office, ear, office.bo)
    await office.asks(office.bo, number="Q-1")
    await listener.has(*titles(1))

    async def works() -> bool:
        try:
            async with office.h.tx() as tx:
                return await MailboxPlace.last(tx, office.bo) == 1
        except Exception as error:
            if is_transient(error):
                return False
            raise

    async with office.h.database_down():
        assert not await works()
    await eventually(works, bool, within=60, what="the database")
    await office.asks(office.bo, number="Q-2")
    await listener.has(*titles(1, 2))
    await _end(listener)


async def test_it_shows_signs_of_life_and_ends_in_time(
    office: Office, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "HEARTBEAT", 0.02)
    short = Listener(office, ear, office.bo, lasts=0.3)
    await asyncio.wait_for(short.task, 60)
    assert short.said[0] == "retry: 2000\n\n"
    assert ": still here\n\n" in short.said
    assert short.said[-1] == "event: end\ndata: {}\n\n"


async def test_it_ends_when_the_process_does(office: Office, ear: Ear) -> None:
    listener = Listener(office, ear, office.bo)
    await office.asks(office.bo)
    await listener.has(*titles(1))
    listener.stopping.set()
    await asyncio.wait_for(listener.task, 60)


async def test_the_route_goes_on_behind_the_last_event_and_begins_with_what_comes(office: Office) -> None:
    for number in range(1, 4):
        await office.asks(office.bo, number=f"Q-{number}")
    bo, path = office.as_(office.bo), f"{NEWS}/stream"
    answer = await bo.get(path, params={"seconds": 0}, headers={"Last-Event-ID": "1"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert [line for line in answer.text.splitlines() if line.startswith("id:")] == ["id: 2", "id: 3"]
    assert "id:" not in (await bo.get(path, params={"seconds": 0})).text
    assert (await bo.get(path, headers={"Last-Event-ID": "x"})).status_code == 422


async def test_it_ends_with_the_token(office: Office) -> None:
    token = office.h.token("notifications:read", user=office.bo, exp=int(time.time()) + 1)
    answer = await office.h.anonymous().get(f"{NEWS}/stream", headers={"Authorization": f"Bearer {token}"})
    assert answer.text.endswith("event: end\ndata: {}\n\n")
