"""A subscription over HTTP: events as they come, and an end when its session, its client or its source has one."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLInt, GraphQLObjectType, GraphQLSchema, parse
from starlette.types import Message

from gateway.graph import stream
from gateway.graph.caller import Refusal
from gateway.graph.stream import Stream
from gateway.pace import Pace

DOCUMENT = parse("subscription {number}")
REFUSED = {"type": "urn:tailrace:problem:forbidden", "title": "Not allowed", "status": 403}


@dataclass
class Client:
    """What a client got. It goes when `gone` is set, and takes nothing while `takes` is not."""

    got: list[bytes] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            await self.takes.wait()
            async with self.heard:
                self.got.append(message["body"])
                self.heard.notify_all()

    async def has(self, count: int) -> None:
        async with self.heard:
            await self.heard.wait_for(lambda: len(self.got) >= count)


class Numbers:
    """The source: what is put into `coming` comes, an exception is raised, and None is the end."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[int | Exception | None] = asyncio.Queue()
        self.closed = asyncio.Event()

    async def all(self, *_: Any) -> AsyncGenerator[int, None]:
        try:
            while (number := await self.coming.get()) is not None:
                if isinstance(number, Exception):
                    raise number
                yield number
        finally:
            self.closed.set()


def _answer(
    numbers: Numbers, client: Client, holds: Callable[[], bool] = lambda: True, pace: Pace | None = None
) -> "asyncio.Task[None]":
    number = GraphQLField(GraphQLInt, subscribe=numbers.all, resolve=lambda number, _: number)
    query = GraphQLObjectType("Query", {"number": GraphQLField(GraphQLInt)})
    schema = GraphQLSchema(query, subscription=GraphQLObjectType("Subscription", {"number": number}))
    answered = Stream(schema, DOCUMENT, {}, holds, pace or Pace(60, 1), {"RateLimit": "x"})
    return asyncio.create_task(answered.answer(client.receive, client.send))


async def _ended(answer: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(60):
        await answer


def _said(event: bytes) -> Any:
    return json.loads(event.removeprefix(b"event: next\ndata: "))


@pytest.fixture
def client() -> Client:
    client = Client()
    client.takes.set()
    return client


async def test_each_result_is_an_event_and_the_end_is_told(client: Client) -> None:
    numbers = Numbers()
    answer = _answer(numbers, client)
    numbers.coming.put_nowait(1)
    await client.has(1)
    numbers.coming.put_nowait(2)
    numbers.coming.put_nowait(None)
    await _ended(answer)
    assert [_said(each) for each in client.got[:2]] == [{"data": {"number": 1}}, {"data": {"number": 2}}]
    assert client.got[2:] == [b"event: complete\ndata:\n\n"]


async def test_it_ends_with_its_session_and_says_so(client: Client) -> None:
    numbers, held = Numbers(), True
    answer = _answer(numbers, client, lambda: held)
    numbers.coming.put_nowait(1)
    await client.has(1)
    held = False
    await _ended(answer)
    assert _said(client.got[1])["errors"][0]["extensions"]["problem"]["type"] == "urn:tailrace:problem:token-revoked"
    assert client.got[2:] == [b"event: complete\ndata:\n\n"]
    assert numbers.closed.is_set()


async def test_nothing_is_shown_that_comes_after_its_session(client: Client) -> None:
    numbers = Numbers()
    numbers.coming.put_nowait(1)
    await _ended(_answer(numbers, client, lambda: False))
    assert all(b"number" not in event for event in client.got)


async def test_what_is_refused_is_told_before_the_end(client: Client) -> None:
    numbers = Numbers()
    numbers.coming.put_nowait(Refusal(REFUSED))
    await _ended(_answer(numbers, client))
    assert _said(client.got[0])["errors"][0]["extensions"]["problem"] == REFUSED
    assert client.got[1:] == [b"event: complete\ndata:\n\n"]


async def test_it_ends_with_its_client(client: Client) -> None:
    numbers = Numbers()
    answer = _answer(numbers, client)
    numbers.coming.put_nowait(1)
    await client.has(1)
    client.gone.set()
    await _ended(answer)
    assert numbers.closed.is_set()


async def test_a_client_that_takes_nothing_is_ended() -> None:
    numbers, client = Numbers(), Client()
    numbers.coming.put_nowait(1)
    await _ended(_answer(numbers, client, pace=Pace(0.01, 1)))
    assert (client.got, numbers.closed.is_set()) == ([], True)


async def test_there_is_a_sign_of_life(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(stream, "_SIGN_OF_LIFE", 0.02)
    answer = _answer(Numbers(), client)
    await client.has(2)
    assert set(client.got) == {b":\n\n"}
    client.gone.set()
    await _ended(answer)
