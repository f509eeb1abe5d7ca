"""Subscriptions: how things are, then each change and none left out; one follower for all who listen, and none for nobody."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.graph.caller import Refusal
from gateway.graph.live import Change, Live
from gateway.graph.offer import Watch
from tailrace.core.events import Meta

ORDERS = Watch("orderStatusChanged", "order.events", "order_id", "order", "/v1/orders/{order_id}", begins=True)
STOCK = Watch(
    "stockChanged", "stock.events", "place", "level", "/v1/stock", "item={item}", permits="/v1/stock?place={place}"
)
NEWS = Watch(
    "newsChanged",
    "news.events",
    "",
    "news",
    "/v1/news",
    "id={news_id}",
    permits="/v1/news?limit=1",
    also=("news.all_read",),
)
ORDER, TENANT, USER = uuid4(), uuid4(), uuid4()


class Topics:
    """In the place of Kafka: followers by topic, told by hand."""

    def __init__(self) -> None:
        self.followers: dict[str, Any] = {}
        self.begun = 0

    async def follow(self, topic: str, follower: Any) -> None:
        self.begun += 1
        self.followers[topic] = follower
        follower.is_current()
        try:
            await asyncio.Event().wait()
        finally:
            del self.followers[topic]

    def tell(
        self,
        sequence: int,
        aggregate: UUID = ORDER,
        tenant: UUID = TENANT,
        topic: str = "order.events",
        type: str = "order.changed",
        **more: Any,
    ) -> None:
        meta = Meta(
            event_id=uuid4(),
            type=type,
            version=1,
            topic=topic,
            aggregate_id=aggregate,
            sequence=sequence,
            epoch=1,
            tenant_id=tenant,
            correlation_id=uuid4(),
            causation_id=None,
            traceparent=None,
            time=datetime(2026, 11, 1, tzinfo=UTC),
            partition=0,
            offset=0,
        )
        self.followers[topic].take(meta, lambda: {"order_id": str(aggregate), **more})


class Reader:
    """In the place of a caller: what it reads is what `says` says."""

    tenant_id, user_id = TENANT, USER

    def __init__(self, says: Callable[[str, str], Any]) -> None:
        self._says = says

    async def reread(self, path: str, query: str = "") -> Any:
        said = self._says(path, query)
        if isinstance(said, Exception):
            raise said
        return said


def _version(version: int) -> Any:
    return Reader(lambda path, _: {"id": path.rpartition("/")[2], "version": version})


def _changes(live: Live, reader: Any, watch: Watch = ORDERS, id: str = str(ORDER)) -> AsyncGenerator[Change, None]:
    return live.changes(watch, id, reader)


async def test_the_state_comes_first_and_each_change_after_it() -> None:
    topics = Topics()
    live = Live("", topics.follow)
    changes = _changes(live, _version(3))
    first = await anext(changes)
    assert (first.sequence, first.type, first.thing["version"]) == (3, None, 3)
    for sequence in (2, 3, 4, 4, 5, 6):
        topics.tell(sequence)
    # What the state showed already, and what comes twice, is no change.
    assert [(await anext(changes)).sequence for _ in range(3)] == [4, 5, 6]
    await changes.aclose()


async def test_nobody_hears_of_others_things() -> None:
    topics = Topics()
    changes = _changes(Live("", topics.follow), _version(1))
    await anext(changes)
    topics.tell(2, tenant=uuid4())
    topics.tell(2, aggregate=uuid4())
    topics.tell(9)
    assert (await anext(changes)).sequence == 9
    await changes.aclose()


async def test_one_follower_for_all_and_none_for_nobody() -> None:
    topics = Topics()
    live = Live("", topics.follow)
    assert (live.topics, topics.begun) == (0, 0)
    some = [_changes(live, _version(1)) for _ in range(3)]
    for each in some:
        await anext(each)
    assert (live.topics, topics.begun) == (1, 1)
    for each in some:
        await each.aclose()
    assert live.topics == 0
    await asyncio.sleep(0)
    assert not topics.followers
    again = _changes(live, _version(1))
    await anext(again)
    assert topics.begun == 2
    await again.aclose()


async def test_who_does_not_take_changes_is_ended_and_others_are_not() -> None:
    topics = Topics()
    live = Live("", topics.follow)
    slow, quick = _changes(live, _version(0)), _changes(live, _version(0))
    await anext(slow), await anext(quick)
    for sequence in range(1, 151):
        topics.tell(sequence)
        assert (await anext(quick)).sequence == sequence
    with pytest.raises(Refusal, match="subscribe again") as refusal:
        await anext(slow)
    assert refusal.value.extensions["problem"]["type"] == "urn:tailrace:problem:too-slow"  # type: ignore[index]
    await quick.aclose()


async def test_what_cannot_be_followed_is_ended_and_not_passed_over() -> None:
    topics = Topics()
    changes = _changes(Live("", topics.follow), _version(0))
    await anext(changes)
    topics.tell(1)
    topics.followers["order.events"].is_behind("Kafka is away")
    with pytest.raises(Refusal, match="subscribe again"):
        await anext(changes)


async def test_who_may_see_it_no_more_hears_no_more() -> None:
    topics, seen = Topics(), True
    refusal = Refusal({"type": "urn:tailrace:problem:forbidden", "title": "Not allowed", "status": 403})
    reader: Any = Reader(lambda *_: {"id": str(ORDER), "version": 1} if seen else refusal)
    changes = _changes(Live("", topics.follow), reader)
    await anext(changes)
    seen = False
    topics.tell(2)
    with pytest.raises(Refusal, match="Not allowed"):
        await anext(changes)


async def test_a_place_is_listened_to_by_what_events_name() -> None:
    topics = Topics()
    here, there = str(uuid4()), str(uuid4())
    asked: list[tuple[str, str]] = []

    def says(path: str, query: str) -> Any:
        asked.append((path, query))
        return {"items": [{"on_hand": "7"}] if "item=" in query else []}

    reader: Any = Reader(says)
    changes = _changes(Live("", topics.follow), reader, STOCK, here)
    first = await anext(changes)
    assert (first, asked) == (Change(None), [("/v1/stock", f"place={here}")])
    topics.tell(5, uuid4(), topic="stock.events", place=there, item="x")
    topics.tell(2, uuid4(), topic="stock.events", place=here, item="a b")
    change = await anext(changes)
    assert (change.sequence, change.thing, asked[-1]) == (2, {"on_hand": "7"}, ("/v1/stock", "item=a%20b"))
    await changes.aclose()


async def test_ones_own_are_those_that_name_oneself() -> None:
    topics = Topics()
    asked: list[str] = []

    def says(_: str, query: str) -> Any:
        asked.append(query)
        return {"items": [{"id": query}]}

    reader: Any = Reader(says)
    changes = _changes(Live("", topics.follow), reader, NEWS, "")
    await anext(changes)
    # Another's; one that names no news, such as what one prefers; all of another's; all of one's own; and one of one's own.
    topics.tell(1, topic="news.events", user_id=str(uuid4()), news_id="1")
    topics.tell(2, topic="news.events", user_id=str(USER))
    topics.tell(3, topic="news.events", type="news.all_read", user_id=str(uuid4()))
    topics.tell(4, topic="news.events", type="news.all_read", user_id=str(USER), read_through=9)
    topics.tell(5, topic="news.events", user_id=str(USER), news_id="3")
    change = await anext(changes)
    assert (change.sequence, change.type, change.thing) == (4, "news.all_read", None)
    change = await anext(changes)
    assert (change.sequence, change.thing) == (5, {"id": "id=3"})
    assert asked == ["limit=1", "limit=1", "id=3"], "who may listen no more hears of no such thing either"
    await changes.aclose()
