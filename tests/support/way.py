"""What stands at both ends of the way from outbox to effect: records as Kafka holds them, where groups are, and fingerprints of what they led to."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from tailrace.kafka import clients
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings, settings_from
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import eventually

PUBLISHING = [service for service in load_services() if service.topic is not None]
LISTENING = [service for service in load_services() if service.subscribers]


def topics_of(service: Service) -> list[str]:
    """What the service's group reads."""
    return sorted({topic for subscriber in service.subscribers for topic in subscriber.topics})


def settings_of(fleet: Stack) -> Settings:
    return settings_from(fleet.environment)


@asynccontextmanager
async def reading(kafka: str, *topics: str) -> AsyncIterator[tuple[AIOKafkaConsumer, dict[TopicPartition, int]]]:
    """A reader without a group, at the beginning, and where each partition ends now."""
    consumer = AIOKafkaConsumer(
        *topics, **clients.connection(kafka), auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        yield consumer, await consumer.end_offsets(list(consumer.assignment()))
    finally:
        await consumer.stop()


async def records(kafka: str, *topics: str) -> list[ConsumerRecord]:
    """Everything that these topics hold now."""
    found: list[ConsumerRecord] = []
    async with reading(kafka, *topics) as (consumer, end):
        while behind := [place for place in end if await consumer.position(place) < end[place]]:
            for some in (await consumer.getmany(*behind, timeout_ms=500)).values():
                found += some
    return found


def event_id(record: ConsumerRecord) -> str | None:
    """None for a record that is no event: somebody else's poison."""
    return next((value.decode() for name, value in record.headers if name == "ce_id"), None)


async def caught_up(kafka: str, group: str, topics: Sequence[str], within: float = 600) -> None:
    """Returns when a group has committed everything that these topics hold now."""
    await all_caught_up(kafka, {group: topics}, within)


async def all_caught_up(kafka: str, groups: Mapping[str, Sequence[str]], within: float = 600) -> None:
    """Returns when each group has committed everything that its topics hold now."""
    async with reading(kafka, *{topic for topics in groups.values() for topic in topics}) as (_, end):
        wanted = {
            group: {place: offset for place, offset in end.items() if offset > 0 and place.topic in topics}
            for group, topics in groups.items()
        }
    admin = AIOKafkaAdminClient(**clients.connection(kafka))
    await admin.start()

    async def behind() -> dict[str, dict[TopicPartition, int]]:
        for group, places in list(wanted.items()):
            stored = await admin.list_consumer_group_offsets(group)
            there = {place: stored[place].offset if place in stored else -1 for place in places}
            if left := {place: offset for place, offset in there.items() if offset < places[place]}:
                return {group: left}
            del wanted[group]  # it never goes back
        return {}

    try:
        await eventually(behind, lambda found: not found, within=within, what=f"{', '.join(groups)} at their ends")
    finally:
        await admin.close()


async def rewind(kafka: str, group: str, topics: Sequence[str]) -> None:
    """Put a group that has no members back to the beginning."""
    async with reading(kafka, *topics) as (_, end):
        consumer = AIOKafkaConsumer(**clients.connection(kafka), group_id=group, enable_auto_commit=False)
        await consumer.start()
        consumer.assign(list(end))
        await consumer.commit(dict.fromkeys(end, 0))
        await consumer.stop()


async def forget(kafka: str, group: str) -> None:
    """Delete a group that has no members, with its offsets."""
    admin = AIOKafkaAdminClient(**clients.connection(kafka))
    await admin.start()
    try:
        answer = await admin._send_request(DeleteGroupsRequest([group]), await admin.find_coordinator(group))
        assert [code for _, code in answer.results] == [0], answer
        assert await admin.list_consumer_group_offsets(group) == {}
    finally:
        await admin.close()


async def fingerprint(connection: Any, tenant: str | None = None) -> dict[str, str]:
    """Rows and their hash by table; of one tenant where the table tells, else of all."""
    tables = await connection.fetch(
        """SELECT c.table_name, bool_or(c.column_name = 'tenant_id') AS tells FROM information_schema.columns c
           JOIN information_schema.tables t USING (table_schema, table_name)
           WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY 1 ORDER BY 1"""
    )
    found = {}
    for name, tells in tables:
        of_tenant = f"WHERE tenant_id = '{tenant}'" if tenant and tells else ""
        query = f"""SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM "{name}" t {of_tenant}"""
        found[name] = await connection.fetchval(query)
    return found


async def fingerprints(fleet: Stack, tenant: str) -> dict[str, dict[str, str]]:
    """Of every service's database: a tenant's rows, and all marks."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for service in PUBLISHING:
        async with admin_of(fleet, service) as connection:
            found[service.name] = await fingerprint(connection, tenant)
    return found


@asynccontextmanager
async def admins(fleet: Stack) -> AsyncIterator[dict[str, Any]]:
    """A connection to the database of each service that publishes, by its name."""
    async with AsyncExitStack() as opened:
        yield {service.name: await opened.enter_async_context(admin_of(fleet, service)) for service in PUBLISHING}


@asynccontextmanager
async def admin_of(fleet: Stack, service: Service) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + f"/{service.name}")
    try:
        yield connection
    finally:
        await connection.close()


class Arrived:
    """The ids of the events that the topics of one broker hold. Asked again, it reads on from where it was: a topic only grows."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._next: dict[TopicPartition, int] = {}
        self._ids: dict[TopicPartition, set[str | None]] = defaultdict(set)
        self._turn = asyncio.Lock()

    async def ids(self, topics: Collection[str]) -> set[str | None]:
        """Of everything that these topics hold now."""
        if not topics:
            return set()
        async with self._turn, reading(self._kafka, *topics) as (consumer, end):
            for place in end:
                if self._next.get(place, 0) > end[place]:  # another broker at this address
                    del self._next[place], self._ids[place]
                consumer.seek(place, self._next.get(place, 0))
            while behind := [place for place in end if await consumer.position(place) < end[place]]:
                for place, some in (await consumer.getmany(*behind, timeout_ms=500)).items():
                    self._ids[place] |= {event_id(record) for record in some}
            self._next |= {place: await consumer.position(place) for place in end}
            return set().union(*(self._ids[place] for place in end))


_arrived: dict[str, Arrived] = {}
"""By the broker's address: every test that waits for quiescence asks for all topics, and they grow with the run."""


async def missing(fleet: Stack, tenant: str) -> dict[str, set[str]]:
    """The ids of a tenant's outbox rows that are in no topic, by service; empty when all arrived."""
    async with admins(fleet) as connections:
        return await missing_of(fleet, connections, tenant)


async def missing_of(fleet: Stack, connections: Mapping[str, Any], tenant: str) -> dict[str, set[str]]:
    """The same, over connections that are open."""
    recorded, topics = {}, set()
    for name, connection in connections.items():
        rows = await connection.fetch("SELECT id::text, topic FROM outbox WHERE tenant_id = $1::uuid", tenant)
        recorded[name] = {row["id"] for row in rows}
        topics |= {row["topic"] for row in rows}
    there = await _arrived.setdefault(fleet.kafka, Arrived(fleet.kafka)).ids(sorted(topics))
    return {name: lost for name, ids in recorded.items() if (lost := ids - there)}
