"""What the tests take for arrived is what the topics hold, also when they are asked a second time."""

from aiokafka import AIOKafkaProducer
from way import Arrived

from tailrace.core.ids import uuid7
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics


async def test_what_arrives_between_two_looks_is_seen_at_the_second(kafka: str) -> None:
    one, other = (f"arrived-{uuid7().hex[-8:]}" for _ in range(2))
    await create_topics(kafka, [one, other], 3, 1)
    arrived = Arrived(kafka)
    assert await arrived.ids([one, other]) == set()
    async with AIOKafkaProducer(**clients.connection(kafka)) as producer:

        async def send(topic: str, *ids: str) -> None:
            for id in ids:
                await producer.send_and_wait(topic, b"{}", id.encode(), headers=[("ce_id", id.encode())])

        first, second, third = [[str(uuid7()) for _ in range(8)] for _ in range(3)]
        await send(one, *first)
        assert await arrived.ids([one]) == set(first)
        await send(one, *second)
        await send(other, *third)
        assert await arrived.ids([one]) == {*first, *second}
        assert await arrived.ids([one, other]) == {*first, *second, *third}
    assert await Arrived(kafka).ids([one, other]) == {*first, *second, *third}
