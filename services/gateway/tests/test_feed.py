"""The feed on a real broker: everything of one token lifetime before it is ready, what comes from then on, and nothing that is older."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from gateway.feed import UserEvents
from gateway.refusals import Revoked
from gateway.revocations import Revocations
from gateway.tokens import Passport
from tailrace.core.context import Principal
from tailrace.kafka import broadcast_consumer, clients
from tailrace.settings import Settings
from tailrace_testing.gateway import eventually


class Topic:
    """A topic of its own, with log-outs on it."""

    def __init__(self, kafka: str, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer) -> None:
        self.name = f"revocations-{uuid4().hex[:8]}.events"
        self.settings = Settings(kafka=kafka)
        self.admin = admin
        self._producer = producer

    async def create(self, partitions: int = 3) -> None:
        await self.admin.create_topics([NewTopic(self.name, partitions, 1)])

    async def grow(self, partitions: int) -> None:
        await self.admin.create_partitions({self.name: NewPartitions(total_count=partitions)})

        async def known() -> int:
            return len(await self._producer.partitions_for(self.name))

        await eventually(known, lambda number: number == partitions, what="the new partitions")

    async def log_out(self, *, age: float = 0.0, partition: int = 0) -> UUID:
        """A log-out that was committed and captured `age` seconds ago; the session."""
        session, at = uuid4(), time.time() - age
        headers = {
            "ce_id": str(uuid4()),
            "ce_type": "user.logout",
            "ce_source": "/tailrace/identity",
            "ce_subject": str(session),
            "ce_time": datetime.fromtimestamp(at, UTC).isoformat(),
            "ce_dataschema": "urn:tailrace:user.logout:v1",
            "ce_tenantid": str(uuid4()),
            "ce_sequence": "2",
            "ce_epoch": "1",
            "ce_correlationid": str(uuid4()),
        }
        value = json.dumps({"user_id": str(uuid4()), "session_id": str(session), "reason": "logout"}).encode()
        pairs = [(name, text.encode()) for name, text in headers.items()]
        await self._producer.send_and_wait(
            self.name, value, partition=partition, timestamp_ms=int(at * 1000), headers=pairs
        )
        return session

    async def rubbish(self) -> None:
        await self._producer.send_and_wait(self.name, b"not an event", partition=0)

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[Revocations]:
        revocations = Revocations(self.settings.token_lifetime)
        following = asyncio.create_task(UserEvents(self.settings, self.name).run(revocations))
        try:
            yield revocations
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


@asynccontextmanager
async def _topic(kafka: str) -> AsyncIterator[Topic]:
    admin = AIOKafkaAdminClient(**clients.connection(kafka))
    producer = AIOKafkaProducer(**clients.connection(kafka), acks="all", metadata_max_age_ms=500)
    await admin.start()
    await producer.start()
    topic = Topic(kafka, admin, producer)
    try:
        yield topic
    finally:
        await producer.stop()
        await admin.delete_topics([topic.name])
        await admin.close()


def _refuses(revocations: Revocations, session: UUID) -> bool:
    try:
        revocations.check(Passport(Principal(uuid4(), uuid4(), session_id=session), "tailrace", "key", {}))
    except Revoked:
        return True
    return False


async def _complete(revocations: Revocations) -> None:
    async def complete() -> bool:
        return revocations.complete

    await eventually(complete, bool, what="the first reading")


async def _refused(revocations: Revocations, session: UUID) -> None:
    async def refuses() -> bool:
        return _refuses(revocations, session)

    await eventually(refuses, bool, what="the revocation")


async def test_one_token_lifetime_is_read_before_it_is_complete(kafka: str) -> None:
    async with _topic(kafka) as topic:
        await topic.create()
        forgotten = [await topic.log_out(age=4000 + n) for n in range(3)]
        await topic.rubbish()
        known = [await topic.log_out(age=3500 - 100 * n, partition=n % 3) for n in range(30)]
        async with topic.followed() as revocations:
            await _complete(revocations)
            assert all(_refuses(revocations, session) for session in known)
            assert not any(_refuses(revocations, session) for session in forgotten)
            assert len(revocations) == len(known)
            await _refused(revocations, await topic.log_out(partition=2))
            assert revocations.behind is None


async def test_it_waits_for_a_topic_that_is_not_there_yet_and_follows_one_that_grows(kafka: str) -> None:
    async with _topic(kafka) as topic, topic.followed() as revocations:

        async def waiting_for() -> str | None:
            return revocations.behind

        await eventually(waiting_for, lambda why: why is not None and "Kafka" in why, what="a reason")
        assert not revocations.complete
        await topic.create(partitions=1)
        await _complete(revocations)
        await topic.grow(partitions=2)
        await _refused(revocations, await topic.log_out(partition=1))


async def test_it_goes_on_after_a_cancellation_that_nobody_meant(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that comes out of the client of Kafka; ended in silence, it would take what it knows for all there is."""
    strayed = asyncio.Event()

    async def stray(*_: object) -> None:
        monkeypatch.undo()
        strayed.set()
        raise asyncio.CancelledError

    async with _topic(kafka) as topic:
        await topic.create()
        async with topic.followed() as revocations:
            await _complete(revocations)
            monkeypatch.setattr(broadcast_consumer, "_read_on", stray)
            await asyncio.wait_for(strayed.wait(), 300)
            await _refused(revocations, await topic.log_out(partition=2))
