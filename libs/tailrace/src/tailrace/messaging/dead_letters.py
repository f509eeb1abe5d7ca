"""What cannot be applied becomes a dead letter with its reason: the aggregate waits, everything else goes on, and nothing is dropped.

A dead letter is a row that points at the record in Kafka. Later events of the same aggregate become dead letters behind it, for that subscriber
alone. `<service>.dlq` gets a copy, through the outbox like every event, for people and tools to look at; a redrive never reads it. A dead letter
is written and deleted under the lock of the aggregate's mark (`inbox.hold`), so no transaction sees a state that another is changing.
"""

from collections.abc import Collection

from aiokafka import ConsumerRecord
from sqlalchemy import exists, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from tailrace.core.events import Event, Meta, source_of
from tailrace.core.ids import NIL, uuid7
from tailrace.core.stand_ins import cause_told, trace_told
from tailrace.db.database import Tx
from tailrace.db.tables import dead_letter, dropped, outbox
from tailrace.messaging.inbox import Pair, as_columns, these_pairs
from tailrace.observability import metrics
from tailrace.observability.logs import log

BEHIND, GAP, NOT_YET = "behind", "gap", "not_yet"
REASON = 2000
"""Characters of a reason that are kept."""
# A letter has to fit into a Kafka message (1 MB), whatever the record and however JSON spells it, or the connector stops for good.
_SHORT, _LONG, _HEADERS = 500, 100_000, 50

_WAITING = select(these_pairs).where(
    exists().where(
        dead_letter.c.subscriber == these_pairs.c.subscriber, dead_letter.c.aggregate_id == these_pairs.c.aggregate_id
    )
)


class DeadLettered(Event):
    """A record that one subscriber could not apply: where it stands, why, and its beginning as text (undecodable bytes replaced)."""

    type = "tailrace.dead_lettered"

    subscriber: str
    kind: str
    reason: str
    source_topic: str
    source_partition: int
    source_offset: int
    key: str | None
    headers: dict[str, str]
    value: str | None


def gap_reason(sequence: int) -> str:
    return f"sequence {sequence} came before the one that precedes it"


def dlq_topic(service: str) -> str:
    return f"{service}.dlq"


async def waiting(tx: Tx, pairs: Collection[Pair]) -> set[Pair]:
    """Which of these (subscriber, aggregate) pairs have dead letters."""
    if not pairs:
        return set()
    return {(row.subscriber, row.aggregate_id) for row in await tx.execute(_WAITING, as_columns(pairs))}


async def write_dead_letter(
    tx: Tx, service: str, subscriber: str, record: ConsumerRecord, meta: Meta | None, kind: str, reason: str
) -> None:
    """Set a record aside for one subscriber. `kind` is gap, malformed, unknown_version, not_yet, failed or behind. Doing it twice is once.

    The caller holds the mark. An unreadable record, which has none, stays away once it was dropped.
    """
    if meta is None and await _was_dropped(tx, subscriber, record, reason):
        return
    row = {
        "subscriber": subscriber,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "kind": kind,
        "reason": storable(reason),
        **({} if meta is None else {"aggregate_id": meta.aggregate_id, "epoch": meta.epoch, "sequence": meta.sequence}),
        **({} if meta is None else {"tenant_id": meta.tenant_id, "type": meta.type}),
    }
    done = await tx.execute(upsert(dead_letter).values(row).on_conflict_do_nothing().returning(literal(1)))
    if done.first() is None:
        return
    tx.makes_due()
    metrics.event_dead_lettered(subscriber, kind)
    if kind != BEHIND:
        await report(tx, service, subscriber, record, kind, reason)


async def _was_dropped(tx: Tx, subscriber: str, record: ConsumerRecord, reason: str) -> bool:
    return bool(
        await tx.scalar(
            select(
                exists().where(
                    dropped.c.subscriber == subscriber,
                    dropped.c.topic == record.topic,
                    dropped.c.partition == record.partition,
                    dropped.c.offset == record.offset,
                    dropped.c.reason == storable(reason),
                )
            )
        )
    )


async def report(tx: Tx, service: str, subscriber: str, record: ConsumerRecord, kind: str, reason: str) -> None:
    """Say that an event became a dead letter for a fault of its own: in the log, and as a copy on `<service>.dlq`."""
    log.error(
        "dead letter", subscriber=subscriber, kind=kind, reason=reason[:500], topic=record.topic, offset=record.offset
    )
    letter = DeadLettered(
        subscriber=subscriber,
        kind=kind,
        reason=storable(reason),
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
        key=_text(record.key, _SHORT),
        headers={name[:_SHORT]: _text(value, _SHORT) or "" for name, value in record.headers[:_HEADERS]},
        value=_text(record.value, _LONG),
    )
    context, letter_id = tx.context, uuid7()
    if context.tenant_id is None:
        # A record that names no tenant: its copy goes under the nil tenant, which no log-in ever has.
        await tx.execute(select(func.set_config("app.tenant_id", str(NIL), True)))
    await tx.execute(
        insert(outbox).values(
            id=letter_id,
            tenant_id=context.tenant_id or NIL,
            topic=dlq_topic(service),
            aggregate_id=uuid7(),
            sequence=1,
            type=letter.type,
            schema_version=letter.version,
            dataschema=letter.schema_uri(),
            source=source_of(service),
            correlation_id=context.correlation_id,
            causation_id=cause_told(context.causation_id, context.correlation_id),
            actor_id=context.actor_id or f"service:{service}",
            traceparent=trace_told(context.traceparent, context.correlation_id, letter_id),
            payload=letter.model_dump_json(),
        )
    )


def _text(value: bytes | None, most: int) -> str | None:
    return None if value is None else value[:most].decode("utf-8", "replace").replace("\x00", "�")


def storable(reason: str) -> str:
    """As much of a reason as is kept, without the one character that PostgreSQL has no room for."""
    return reason[:REASON].replace("\x00", "�")
