"""What follows from the manifests for Kafka's lists, and that Kafka holds to it: no name, no right, no topic of others, no group of others."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from toy import service

from tailrace.capture import canary
from tailrace.core.addresses.kafka import CONNECT, KafkaAddress
from tailrace.core.operator_error import OperatorError
from tailrace.kafka import clients
from tailrace.kafka.topics import answers, create_topics
from tailrace.runtime import access
from tailrace.runtime.access import Right
from tailrace.service import Service
from tailrace.stack.embedded import Stack

embedded = pytest.mark.embedded("Kafka in containers is open")


def test_who_may_do_what() -> None:
    bare = Service(name="edge", edge=True, follows=["user.events"], tells=["edge.access"])
    heard = {topic for subscriber in service.subscribers for topic in subscriber.topics}
    assert access.rights_of(bare) == {
        Right("edge", "READ", "TOPIC", "user.events"),
        Right("edge", "WRITE", "TOPIC", "edge.access"),
    }
    assert access.rights_of(service) == {
        *(Right("toy", "READ", "TOPIC", topic) for topic in heard | {canary.TOPIC}),
        Right("toy", "READ", "GROUP", "toy"),
    }
    every = access.rights([bare, service])
    writers = {(each.user, each.name) for each in every if each.operation == "WRITE"}
    assert {user for user, topic in writers if topic in ("toy.events", "toy.dlq")} == {"connect"}
    assert {topic for user, topic in writers if user == "connect"} > {"toy.events", "toy.dlq", canary.TOPIC}
    assert {each.name for each in every if each.pattern == "PREFIXED"} == {"__debezium-heartbeat."}
    assert {each.user for each in every} == {"connect", "edge", "toy"}


def test_no_service_is_a_user_who_may_do_more() -> None:
    with pytest.raises(ValueError, match="operator"):
        access.rights([Service(name="operator")])


def _as(kafka: str, user: str | None, password: str = "") -> str:
    address = KafkaAddress.parse(kafka)
    plain = KafkaAddress(address.brokers)
    return (plain if user is None else address.as_user(user, password)).text()


@dataclass(frozen=True)
class Locked:
    kafka: str
    """For the operator."""
    own: str
    """A topic that the user `mouse` may read, in its own group."""
    other: str
    passwords: dict[str, str]


@pytest.fixture(scope="module")
def locked(kafka: str, stack: Stack) -> Locked:
    own, other = f"mouse.{uuid4().hex[:8]}", f"cat.{uuid4().hex[:8]}"
    passwords = {"mouse": "squeak-squeak", CONNECT: stack.supervisor.credentials.kafka(CONNECT)}

    async def prepare() -> None:
        await create_topics(kafka, [own, other], 1, 1)
        async with clients.producer(kafka) as producer:
            for topic in (own, other):
                await producer.send_and_wait(topic, b"a secret")

    asyncio.run(prepare())
    access.make_users(kafka, {"mouse": passwords["mouse"]})
    access.grant(kafka, [Right("mouse", "READ", "TOPIC", own), Right("mouse", "READ", "GROUP", "mouse")])
    return Locked(kafka, own, other, passwords)


async def _read(address: str, topic: str, group: str | None = None) -> bytes:
    consumer = clients.consumer(address, topic, group=group, request_timeout_ms=3000)
    try:
        async with asyncio.timeout(5):
            await consumer.start()
            if group is None:
                consumer.seek(TopicPartition(topic, 0), 0)
            record = await consumer.getone()
            return bytes(record.value)
    finally:
        await consumer.stop()


async def _write(address: str, topic: str) -> None:
    async with asyncio.timeout(5), clients.producer(address) as producer:
        await producer.send_and_wait(topic, b"forged")


async def _make(address: str) -> None:
    await create_topics(address, [f"made.{uuid4().hex[:8]}"], 1, 1)


REFUSED: dict[str, tuple[str | None, Callable[[str, Locked], Awaitable[object]]]] = {
    "no user reads": (None, lambda at, locked: _read(at, locked.own)),
    "no user writes": (None, lambda at, locked: _write(at, locked.own)),
    "an unknown user reads": ("rat", lambda at, locked: _read(at, locked.own)),
    "a user reads a topic of others": ("mouse", lambda at, locked: _read(at, locked.other)),
    "a user reads in a group of others": ("mouse", lambda at, locked: _read(at, locked.own, group="cat")),
    "a user writes what it reads": ("mouse", lambda at, locked: _write(at, locked.own)),
    "a user writes a topic of others": ("mouse", lambda at, locked: _write(at, locked.other)),
    "a user makes a topic": ("mouse", lambda at, _: _make(at)),
    "Connect reads events": (CONNECT, lambda at, locked: _read(at, locked.own)),
}


@embedded
@pytest.mark.parametrize("attempt", REFUSED)
async def test_what_nobody_granted_is_refused(locked: Locked, attempt: str) -> None:
    user, work = REFUSED[attempt]
    with pytest.raises((KafkaError, OSError, OperatorError, TimeoutError)):
        await work(_as(locked.kafka, user, locked.passwords.get(user or "", "guessed")), locked)


@embedded
async def test_what_was_granted_is_allowed(locked: Locked) -> None:
    """And a wrong password is none."""
    mouse = _as(locked.kafka, "mouse", locked.passwords["mouse"])
    assert await answers(mouse)
    assert await _read(mouse, locked.own) == b"a secret"
    assert await _read(mouse, locked.own, group="mouse") == b"a secret"
    assert not await answers(_as(locked.kafka, "mouse", "guessed"))


@embedded
async def test_what_is_no_longer_wanted_is_taken_back(locked: Locked) -> None:
    """From users that were prepared, and from no others; applied again, nothing changes."""
    present = access._present(access._admin(locked.kafka))
    assert present > access.rights_of_connect([])
    without = {right for right in present if right.user != "mouse"}
    mouse = _as(locked.kafka, "mouse", locked.passwords["mouse"])
    try:
        assert await asyncio.to_thread(access.apply, locked.kafka, without, ["cat"]) == (0, 0)
        assert await asyncio.to_thread(access.apply, locked.kafka, without, ["mouse"]) == (0, 2)
        assert await asyncio.to_thread(access.apply, locked.kafka, without, ["mouse"]) == (0, 0)
        with pytest.raises((KafkaError, TimeoutError)):
            await _read(mouse, locked.own)
    finally:
        await asyncio.to_thread(access.apply, locked.kafka, present, [])
    assert await _read(mouse, locked.own) == b"a secret"


@embedded
async def test_a_reader_reads_what_it_was_given_until_it_is_removed(locked: Locked) -> None:
    kafka, name = locked.kafka, f"reader-{uuid4().hex[:8]}"
    reader = _as(kafka, name, "first")
    await asyncio.to_thread(access.set_password, kafka, name, "first")
    await asyncio.to_thread(access.grant, kafka, access.rights_of_reader(name, [locked.own]))
    assert await _read(reader, locked.own, group=f"{name}.one") == b"a secret"
    for topic, group in ((locked.other, None), (locked.own, f"{name}-other")):
        with pytest.raises((KafkaError, TimeoutError)):
            await _read(reader, topic, group)
    await asyncio.to_thread(access.set_password, kafka, name, "second")
    assert not await answers(reader)
    async with clients.consumer(_as(kafka, name, "second"), locked.own) as open_still:
        await asyncio.to_thread(access.remove_user, kafka, name)
        assert not await answers(_as(kafka, name, "second"))
        with pytest.raises((KafkaError, TimeoutError)):
            async with asyncio.timeout(5):
                await open_still.getone()
                await open_still.end_offsets(open_still.assignment())
    assert not {right for right in access._present(access._admin(kafka)) if right.user == name}
