"""Partners at a locked Kafka: what their password opens and what it does not, that it ends, and that a killed filler loses and doubles nothing."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from partners import opening
from partners.models import Partner
from partners.service import service
from partners.sharing import Share
from tailrace.core.addresses.kafka import KafkaAddress
from tailrace.kafka import clients
from tailrace.kafka.quotas import READ_BYTES, REQUESTS, quotas_of
from tailrace.kafka.topics import create_topics
from tailrace.runtime import access
from tailrace.runtime.access import Right
from tailrace_testing import Harness, MakeHarness

from .filling import wanted

pytestmark = pytest.mark.embedded("Kafka in containers is open")
PASSWORD, MARK = "of-the-service", "Zaphod-7Q"
KILLS = int(os.environ.get("PARTNER_KILLS", "3"))
REFUSED = (KafkaError, TimeoutError, AssertionError)


@pytest.fixture(scope="module")
def as_service(kafka: str) -> str:
    """Kafka's address for the service's own user, with the rights that its manifest gives it and no other."""
    access.set_password(kafka, "partners", PASSWORD)
    access.grant(kafka, access.rights_of(service))
    return KafkaAddress.parse(kafka).as_user("partners", PASSWORD).text()


@asynccontextmanager
async def _reading(kafka: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """From its beginning, without a group. Raises one of REFUSED for who may not."""
    async with asyncio.timeout(30), clients.consumer(kafka, topic, request_timeout_ms=3000) as consumer:
        assert consumer.assignment(), "the topic is not shown"
        yield consumer


async def _read(kafka: str, topic: str) -> int:
    async with _reading(kafka, topic) as consumer:
        return sum((await consumer.end_offsets(consumer.assignment())).values())


async def _credentials(partners: Harness, made: dict[str, Any]) -> dict[str, str]:
    """User and password."""
    found: dict[str, str] = (await partners.client.get(f"/v1/partners/{made['id']}/credentials")).json()
    return found


async def _held(partners: Harness) -> set[str]:
    """The partners that a process would fill, if it were alone."""
    share = Share(partners.database)
    held = {str(each.partner_id) for each in await share.take({})}
    await share.leave()
    return held


async def test_a_password_opens_its_own_topics_until_it_is_revoked(
    make_harness: MakeHarness, kafka: str, as_service: str
) -> None:
    partners = await make_harness(service)
    opening.settings_here.keep(partners.database, partners.settings.model_copy(update={"kafka": as_service}))
    body = {"name": "Freight desk", "types": ["partner.registered"]}
    made = [(await partners.client.post("/v1/partners", json=body)).json() for _ in range(2)]
    await partners.fire_timers()
    assert {each["status"] for each in (await partners.client.get("/v1/partners")).json()["items"]} == {"open"}
    assert await _held(partners) == {each["id"] for each in made}

    bare = KafkaAddress.parse(kafka)
    mine, other = [bare.as_user(**await _credentials(partners, each)).text() for each in made]
    topic = made[0]["topics"][0]
    assert await _read(mine, topic) == 0
    most = {READ_BYTES: 4 * 1024 * 1024, REQUESTS: 50}
    assert [await quotas_of(kafka, each["user"]) for each in made] == [most, most]
    for stranger in (other, bare.brokers, bare.as_user(made[0]["user"], "guessed").text()):
        with pytest.raises(REFUSED):
            await _read(stranger, topic)
    with pytest.raises(REFUSED):
        await _read(mine, "partner.events")
    with pytest.raises(REFUSED):
        async with asyncio.timeout(10), clients.producer(mine) as producer:
            await producer.send_and_wait(topic, b"forged")

    # A new password is the only one; what was opened by the one before is asked again by no one.
    here = f"/v1/partners/{made[0]['id']}"
    await partners.client.post(f"{here}/rotate")
    await partners.fire_timers()
    with pytest.raises(REFUSED):
        await _read(mine, topic)
    mine = bare.as_user(**await _credentials(partners, made[0])).text()

    async with _reading(mine, topic) as consumer:
        async with clients.producer(kafka) as producer:
            await producer.send_and_wait(topic, b"before", partition=0)
        assert (await consumer.getone()).value == b"before"
        await partners.client.post(f"{here}/revoke")
        await partners.fire_timers()
        # The connection was open all the while: it gets nothing more.
        with pytest.raises(REFUSED):
            async with asyncio.timeout(10):
                await consumer.getone()
    with pytest.raises(REFUSED):
        await _read(mine, topic)
    assert (await partners.client.get(here)).json()["status"] == "closed"
    assert await _read(other, made[1]["topics"][0]) == 0
    assert [await quotas_of(kafka, each["user"]) for each in made] == [{}, most]
    assert made[0]["id"] not in await _held(partners)


async def test_who_reads_more_than_its_quota_has_to_wait_and_nobody_else_has(
    make_harness: MakeHarness, kafka: str, as_service: str
) -> None:
    partners = await make_harness(service)
    body, known = {"name": "Freight desk", "types": ["partner.registered"]}, []
    for most in (4_000, 4_000_000):
        settings = partners.settings.model_copy(update={"kafka": as_service, "partner_read_bytes": most})
        opening.settings_here.keep(partners.database, settings)
        made = (await partners.client.post("/v1/partners", json=body)).json()
        await partners.fire_timers()
        user = await _credentials(partners, made)
        known.append((KafkaAddress.parse(kafka).as_user(**user).text(), made["topics"][0]))
    async with clients.producer(kafka) as producer:
        for _ in range(150):
            for _, topic in known:
                await producer.send_and_wait(topic, b"x" * 1000, partition=0)
    read, told = await _until_told_to_wait(*known[0], 150)
    # Kafka counts over ten seconds.
    assert (1 <= read <= 45, told > 0) == (True, True), (read, told)
    assert await _until_told_to_wait(*known[1], 150) == (150, 0)


async def _until_told_to_wait(kafka: str, topic: str, many: int) -> tuple[int, int]:
    """How many records come until the broker says for how long it answers no more, and the milliseconds that it says; 0, when all come before."""
    told = 0
    async with _reading(kafka, topic) as consumer:
        send = consumer._client.send

        async def heard(node: int, request: Any, **more: Any) -> Any:
            nonlocal told
            answer = await send(node, request, **more)
            told = max(told, getattr(answer, "throttle_time_ms", 0))
            return answer

        consumer._client.send = heard
        read = 0
        while read < many and not told:
            read += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
    return read, told


async def test_what_is_done_twice_at_kafka_is_done_once(make_harness: MakeHarness, kafka: str, as_service: str) -> None:
    """As after a crash between Kafka and the database: the timer fires again."""
    partners = await make_harness(service)
    settings = partners.settings.model_copy(update={"kafka": as_service})
    opening.settings_here.keep(partners.database, settings)
    body = {"name": "Freight desk", "types": ["partner.registered"]}
    made = (await partners.client.post("/v1/partners", json=body)).json()
    async with partners.tx() as tx:
        partner = await tx.find(Partner, UUID(made["id"]))
    await opening.open_at_kafka(settings, partner)
    await partners.fire_timers()
    mine = KafkaAddress.parse(kafka).as_user(**await _credentials(partners, made)).text()
    assert await _read(mine, made["topics"][0]) == 0
    less = {"types": ["order.confirmed"]}
    await partners.client.put(f"/v1/partners/{made['id']}/grant", json=less)
    await partners.fire_timers()
    both = {made["topics"][0], f"{made['user']}.order.events"}
    await _there(kafka, made["id"], both)
    await partners.client.post(f"/v1/partners/{made['id']}/revoke")
    await opening.close_at_kafka(settings, partner)
    await partners.fire_timers()
    # Also what an earlier grant gave, and this one no more.
    await _there(kafka, made["id"], set())
    assert (await partners.client.get(f"/v1/partners/{made['id']}")).json()["status"] == "closed"


async def _there(kafka: str, name: str, wanted: set[str]) -> None:
    """Returns when these are the topics that have this in their name."""
    async with asyncio.timeout(30), clients.consumer(kafka) as consumer:
        while {topic for topic in await consumer.topics() if name in topic} != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _filling(kafka: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A filler, which is killed at the end."""
    script = str(Path(__file__).with_name("filling.py"))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, script, *arguments, stdin=pipe)
    try:
        assert process.stdin is not None
        process.stdin.write(f"{kafka}\n".encode())
        await process.stdin.drain()
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def _dig(kafka: str, source: str, tenant: UUID, count: int) -> None:
    """So many events, every second one of the tenant's, the others of nobody's."""
    async with clients.producer(kafka) as producer:
        for number in range(count):
            whose = tenant if number % 2 else uuid4()
            headers = [("ce_type", b"burrow.dug"), ("ce_tenantid", str(whose).encode())]
            value = f'{{"number":{number},"digger":"{MARK}"}}'.encode()
            await producer.send(source, value, key=str(number % 50).encode(), headers=headers)


async def _expected(kafka: str, source: str, count: int) -> tuple[dict[int, list[int]], dict[TopicPartition, int]]:
    """By partition, what the partner is to get, in order; and where the source ends."""
    expected: dict[int, list[int]] = {0: [], 1: [], 2: []}
    async with asyncio.timeout(60), clients.consumer(kafka, source) as origin:
        ends = await origin.end_offsets(origin.assignment())
        while count:
            for at, records in (await origin.getmany(timeout_ms=1000)).items():
                count -= len(records)
                expected[at.partition] += [number for number in map(_number, records) if number % 2]
    return expected, dict(ends)


async def _all_told(kafka: str, group: str, ends: dict[TopicPartition, int]) -> None:
    """Returns when the filler has committed how far it was with everything."""
    async with asyncio.timeout(60), clients.consumer(kafka, group=group) as offsets:
        while {each: await offsets.committed(each) for each in ends} != ends:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _number(record: ConsumerRecord) -> int:
    return int(json.loads(record.value)["number"])


async def test_a_filler_that_is_killed_loses_nothing_and_doubles_nothing(kafka: str, as_service: str) -> None:
    source, tenant, partner = f"burrow.{uuid4().hex[:8]}.events", uuid4(), uuid4()
    target = f"partner.{partner}.{source}"
    rights = access.rights_to_fill("partners", f"partner.{partner}")
    access.grant(kafka, [*rights, Right("partners", "READ", "TOPIC", source)])
    await create_topics(kafka, [source, target], 3, 1)
    count = 4000
    await _dig(kafka, source, tenant, count)
    expected, ends = await _expected(kafka, source, count)
    reader = clients.consumer(kafka, target)
    group = wanted(source, tenant, partner).name
    arguments = (source, str(tenant), str(partner))
    got: dict[int, list[int]] = {0: [], 1: [], 2: []}

    async def read(until: int) -> None:
        async with asyncio.timeout(60):
            while sum(map(len, got.values())) < until:
                for at, records in (await reader.getmany(timeout_ms=500)).items():
                    assert all(MARK.encode() not in record.value for record in records)
                    got[at.partition] += list(map(_number, records))

    async with reader:
        for kill in range(KILLS):
            async with _filling(as_service, *arguments):
                await read((kill + 1) * count // 2 // (KILLS + 2))
        # Two at once, of which one is fenced off and comes back, and fences the other off.
        async with _filling(as_service, *arguments), _filling(as_service, *arguments):
            await read(count // 2)
            await _all_told(kafka, group, ends)
        # What is told after that comes behind all that was ever told before: nothing is left that could still be doubled.
        async with clients.producer(kafka) as producer:
            for each in expected:
                await producer.send_and_wait(target, b'{"number":-1}', partition=each)
        await read(count // 2 + len(expected))
    assert got == {each: [*numbers, -1] for each, numbers in expected.items()}
