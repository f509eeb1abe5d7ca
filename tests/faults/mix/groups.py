"""A consumer group's offsets, moved and deleted as an operator's tools would do it: Kafka lets nobody do so while the group has a member."""

import asyncio
import time
from collections.abc import Mapping, Set

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.admin import DeleteGroupsRequest

from mix import logins
from mix.stopping import stop

_EMPTY = {"Empty", "Dead"}


async def wait_until_empty(kafka: str, group: str, within: float = 60.0) -> None:
    """Raises TimeoutError when somebody is still in the group."""
    admin = AIOKafkaAdminClient(**logins.of(kafka))
    await admin.start()
    try:
        deadline = time.monotonic() + within
        while (state := await _state(admin, group)) not in _EMPTY:
            if time.monotonic() > deadline:
                raise TimeoutError(f"group {group} is {state} after {within:g} s")
            await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def _state(admin: AIOKafkaAdminClient, group: str) -> str:
    (answer,) = await admin.describe_consumer_groups([group])
    return str(answer.groups[0][2])


async def committed(kafka: str, group: str) -> dict[TopicPartition, int]:
    admin = AIOKafkaAdminClient(**logins.of(kafka))
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group)
        return {place: each.offset for place, each in found.items() if each.offset >= 0}
    finally:
        await admin.close()


async def move_to(kafka: str, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit these offsets in the group's name. The group must be empty; one that has read nothing yet stays as it is."""
    if not offsets:
        return
    consumer = AIOKafkaConsumer(**logins.of(kafka), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))
    finally:
        await stop(consumer)


async def delete(kafka: str, group: str) -> None:
    """The group and all its offsets. It must be empty. Raises RuntimeError with Kafka's error code."""
    client = AIOKafkaClient(**logins.of(kafka))
    await client.bootstrap()
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        answer = await client.send(node, DeleteGroupsRequest([group]))
        for name, code in answer.results:
            if code:
                raise RuntimeError(f"group {name} was not deleted: error {code}")
    finally:
        await client.close()


async def behind(kafka: str, group: str, known: Set[TopicPartition]) -> int:
    """Records that the group has still to go over. `known` are partitions that it has read before, also when its offsets were deleted."""
    offsets = {**dict.fromkeys(known, 0), **await committed(kafka, group)}
    consumer = AIOKafkaConsumer(**logins.of(kafka), enable_auto_commit=False)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(offsets)) if offsets else {}
        return sum(ends[place] - offset for place, offset in offsets.items())
    finally:
        await stop(consumer)
