"""Retained outbox rows published again, byte for byte as the connector writes them: key, headers, value and partition.

Ordered by aggregate and sequence, with their own ids, so that the marks of every reader know them. Rows are streamed, however many they are.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaError

from debezium_connector_config.outbox import CLOUDEVENTS_HEADERS
from tailrace.capture import canary
from tailrace.capture.connectors import EXTENSIONS
from tailrace.core.addresses.kafka import brokers_of
from tailrace.kafka import clients, shutdown
from tailrace.messaging.dead_letters import dlq_topic
from tailrace.service import Service

_CHUNK = 200
"""Rows that are under way at once; each may be nearly a megabyte."""
_CHUNK_WITHIN, _STOP_WITHIN = 120.0, 20.0
"""Seconds. A repair holds the only right to repair, so it may not wait for ever."""
_EVERY = 50
"""Chunks after which the progress is told."""
# ce_time has six digits always, as Debezium writes a timestamptz. A null column, of a row of before there were none, is a header without a value.
_TEXT = {"recorded_at": """to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""}
_COLUMNS = ", ".join(
    f'{_TEXT.get(column, f"{column}::text")} AS "{header}"' for column, header in (*CLOUDEVENTS_HEADERS, *EXTENSIONS)
)
_ROWS = f"""
    SELECT {_COLUMNS}, CASE topic WHEN $3 THEN topic ELSE $4 END AS topic, payload FROM outbox
    WHERE topic <> $1 AND ($2::timestamptz IS NULL OR recorded_at >= $2) AND ($5::uuid[] IS NULL OR id = ANY($5))
    ORDER BY aggregate_id, sequence"""
_ONE = f"SELECT {_COLUMNS}, topic, payload FROM outbox WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A Kafka record before it is sent."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes | None]]


async def retained(
    connection: Any, service: Service, since: datetime | None, only: Collection[UUID] | None = None
) -> AsyncIterator[list[Outgoing]]:
    """The rows recorded since then, or all of them, as records, in chunks; canaries are left out. `only` names those that are meant.

    They go to the service's own topic and to its dead letters', as by its connector, whatever a row says. Needs SELECT on the outbox alone.
    """
    async with connection.transaction(readonly=True):
        ids = None if only is None else list(only)
        cursor = await connection.cursor(_ROWS, canary.TOPIC, since, dlq_topic(service.name), service.topic, ids)
        while rows := await cursor.fetch(_CHUNK):
            yield [_record(row) for row in rows]


def _record(row: Any) -> Outgoing:
    # The order is that of the connector's transforms: a constant, the placed columns, two constants.
    placed = [(header, _bytes(row[header])) for _, header in (*CLOUDEVENTS_HEADERS, *EXTENSIONS)]
    headers = [
        ("ce_specversion", b"1.0"),
        *placed,
        ("content-type", b"application/json"),
        ("ce_sequencetype", b"Integer"),
    ]
    return Outgoing(row["topic"], row["ce_subject"].encode(), row["payload"].encode(), headers)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


async def republish(
    connection: Any,
    service: Service,
    kafka: str,
    since: datetime | None,
    say: Callable[[str], None],
    only: Collection[UUID] | None = None,
    then: UUID | None = None,
) -> int:
    """Publish what is retained since then, or all of it, and return how many rows that was, when Kafka has acknowledged every one.

    `then` is a canary that follows when nothing from before it is missing any more: that is how Kafka says so. Raises OSError when Kafka does not
    answer. What was sent until then stays, and does no harm.
    """
    producer = clients.producer(kafka)
    count = chunks = 0
    try:
        await producer.start()
        async for chunk in retained(connection, service, since, only):
            async with asyncio.timeout(_CHUNK_WITHIN):
                sent = [await producer.send(out.topic, out.value, out.key, headers=out.headers) for out in chunk]
                await asyncio.gather(*sent)
            count, chunks = count + len(chunk), chunks + 1
            if chunks % _EVERY == 0:
                say(f"{count:,} rows published again")
        if then is not None and (row := await connection.fetchrow(_ONE, then)) is not None:
            last = _record(row)
            async with asyncio.timeout(_CHUNK_WITHIN):
                await producer.send_and_wait(last.topic, last.value, last.key, headers=last.headers)
    except KafkaError as error:
        raise ConnectionError(f"Kafka at {brokers_of(kafka)} does not take the rows: {error!r}") from error
    finally:
        await shutdown.stop(producer, within=_STOP_WITHIN)
    return count
