"""`tailrace events tail`: events as any reader sees them, read without a group, so that nothing is moved by looking."""

import asyncio
from typing import Any

from rich.text import Text

from tailrace.cli.console import out
from tailrace.cli.running import enter_environment
from tailrace.core.addresses.kafka import brokers_of
from tailrace.core.operator_error import OperatorError
from tailrace.settings import Settings


def print_events(topic: str | None, *, from_start: bool, limit: int) -> None:
    enter_environment()
    asyncio.run(_print_events(Settings().kafka, topic, from_start, limit))


async def _print_events(bootstrap: str, topic: str | None, from_start: bool, limit: int) -> None:
    from tailrace.kafka import clients

    names = _chosen(await _topics(bootstrap), topic)
    consumer = clients.consumer(bootstrap, *names, start="earliest" if from_start else "latest")
    await consumer.start()
    try:
        out.print(f"{', '.join(names)}; Ctrl-C ends", style="dim")
        count = 0
        async for record in consumer:
            out.print(_line(record))
            count += 1
            if count == limit:
                return
    finally:
        await consumer.stop()


async def _topics(bootstrap: str) -> set[str]:
    from aiokafka.errors import KafkaError

    from tailrace.kafka import clients

    admin = clients.admin(bootstrap)
    try:
        await admin.start()
        return set(await admin.list_topics())
    except KafkaError as error:
        raise OperatorError(
            f"Kafka at {brokers_of(bootstrap)} does not answer: {error}", "see: tailrace status"
        ) from None
    finally:
        await admin.close()


def _chosen(present: set[str], topic: str | None) -> list[str]:
    if topic is None:
        # Partners' own topics, which have longer names, repeat some of these.
        return sorted(name for name in present if name.endswith(".events") and name.count(".") == 1)
    if topic not in present:
        raise OperatorError(
            f"there is no topic {topic}",
            f"there are: {', '.join(sorted(name for name in present if name.endswith(('.events', '.dlq'))))}",
        )
    return [topic]


def _line(record: Any) -> Text:
    """One event: time, type, key, sequence, tenant, payload. Absent headers show as `-`."""
    headers = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    key = record.key.decode(errors="replace") if record.key else "-"
    value = record.value.decode(errors="replace") if record.value else ""
    return (
        Text(f"{headers.get('ce_time', '-'):<27} ", "dim")
        + Text(f"{headers.get('ce_type', record.topic)} ", "bold cyan")
        + Text(f"{key} #{headers.get('ce_sequence', '-')} ")
        + Text(f"tenant {headers.get('ce_tenantid', '-')} ", "dim")
        + Text(value)
    )
