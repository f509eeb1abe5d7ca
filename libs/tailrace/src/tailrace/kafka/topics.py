"""Whether a broker answers, and topics made where they are missing."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from tailrace.core.addresses.kafka import brokers_of
from tailrace.core.operator_error import OperatorError
from tailrace.kafka import clients

FOR_EVER = {"retention.ms": "-1"}


async def answers(bootstrap: str) -> bool:
    """Whether a broker is there and knows of itself."""
    host, _, port = brokers_of(bootstrap).partition(",")[0].rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))  # cheap, and silent while the port is closed
    writer.close()
    from aiokafka.errors import KafkaError

    client = clients.probe(bootstrap, within_ms=2000)
    try:
        await client.bootstrap()
        return len(client.cluster.brokers()) > 0
    except KafkaError:
        return False
    finally:
        await client.close()


async def create_topics(
    bootstrap: str,
    topics: Iterable[str],
    partitions: int,
    replication: int,
    say: Callable[[str], None] = lambda text: None,
    settings: Mapping[str, str] = FOR_EVER,
) -> list[str]:
    """Create those that are missing, kept for ever unless `settings` say otherwise, and return their names. Raises `OperatorError`."""
    from aiokafka.admin import NewTopic
    from aiokafka.errors import for_code

    admin = clients.admin(bootstrap)
    await admin.start()
    try:
        missing = sorted(set(topics) - set(await admin.list_topics()))
        if missing:
            say(f"creating {len(missing)}")
            new = [NewTopic(name, partitions, replication, topic_configs=dict(settings)) for name in missing]
            answer = await admin.create_topics(new)
            for name, code, *reason in answer.topic_errors:
                if code not in (0, 36):  # 36: another process was first
                    raise OperatorError(
                        f"cannot create topic {name}: {for_code(code).__name__} {reason}", "see the log of kafka"
                    )
        return missing
    finally:
        await admin.close()


async def delete_topics(bootstrap: str, beginning: str) -> None:
    """Delete those whose names begin so, with all that they hold. Raises `OperatorError`, and ValueError when that is all of them."""
    if not beginning:
        raise ValueError("that is every topic")
    from aiokafka.errors import for_code

    admin = clients.admin(bootstrap)
    await admin.start()
    try:
        present = sorted(topic for topic in await admin.list_topics() if topic.startswith(beginning))
        if present:
            answer = await admin.delete_topics(present)
            for name, code, *_ in answer.topic_error_codes:
                if code not in (0, 3):  # 3: another process was first
                    raise OperatorError(
                        f"cannot delete topic {name}: {for_code(code).__name__}", "see the log of kafka"
                    )
    finally:
        await admin.close()
