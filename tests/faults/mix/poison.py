"""Records that no service wrote, as a broken or foreign publisher would send them; each must be dead-lettered or passed over, without harm to others.

Forged events are of aggregates that nobody has, or claim the place of an event that every reader has had. A record with the very next sequence of a
real aggregate is not forged here: whoever can write that to a topic is its publisher, and no reader could tell.
"""

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import ConsumerRecord

KNOWN = {
    "order.events": "order.confirmed",
    "shipment.events": "shipment.dispatched",
    "inventory.events": "inventory.stock.received",
    "catalog.events": "catalog.item.created",
    "user.events": "iam.tenant.created",
}
"""A topic, and a type on it that somebody reads."""
_OWNER = {
    "order.events": "orders",
    "shipment.events": "shipping",
    "inventory.events": "inventory",
    "catalog.events": "catalog",
    "user.events": "identity",
}
SORTS = ("stranger", "not json", "wrong shape", "unknown version", "no headers", "gap", "late", "stale", "stale")


def forge(dice: random.Random, tenant: str, real: dict[str, list[ConsumerRecord]]) -> list[tuple[str, ConsumerRecord]]:
    """One of each sort, on topics that chance chooses. `real` are events that were on the topics already."""
    forged: list[tuple[str, ConsumerRecord]] = []
    for sort in SORTS:
        topic = dice.choice(list(KNOWN))
        if sort != "stale":
            forged.append((sort, _fresh(dice, sort, topic, tenant)))
        elif real.get(topic):
            forged.append((sort, _stale(dice, dice.choice(real[topic]))))
    return forged


def heal(late: Iterable[ConsumerRecord]) -> list[ConsumerRecord]:
    """What was missing before events that came too late: with these, they come right by themselves."""
    return [
        _with(record, ce_sequence="1", ce_id=str(UUID(int=UUID(_header(record, "ce_id")).int ^ 1))) for record in late
    ]


def again(dice: random.Random, real: dict[str, list[ConsumerRecord]], count: int) -> list[ConsumerRecord]:
    """Real records, to be sent once more as they are."""
    known = [record for records in real.values() for record in records]
    return dice.sample(known, min(count, len(known)))


def _fresh(dice: random.Random, sort: str, topic: str, tenant: str) -> ConsumerRecord:
    aggregate = str(UUID(int=dice.getrandbits(128), version=4))
    value = b'{"broken": ' if sort == "not json" else json.dumps({"forged": sort}).encode()
    if sort == "no headers":
        return _record(topic, -1, aggregate.encode(), value, [])
    version = 99 if sort == "unknown version" else 1
    headers = {
        "ce_id": str(UUID(int=dice.getrandbits(128), version=4)),
        "ce_type": f"{topic.partition('.')[0]}.rumoured" if sort == "late" else KNOWN[topic],
        "ce_source": "/somebody/else" if sort == "stranger" else f"/tailrace/{_OWNER[topic]}",
        "ce_subject": aggregate,
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_dataschema": f"urn:forged:v{version}",
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "ce_tenantid": tenant,
        "ce_sequence": {"gap": "5", "late": "2"}.get(sort, "1"),
        "ce_epoch": "1",
        "ce_correlationid": str(UUID(int=dice.getrandbits(128), version=4)),
    }
    return _record(topic, -1, aggregate.encode(), value, [(name, text.encode()) for name, text in headers.items()])


def _stale(dice: random.Random, real: ConsumerRecord) -> ConsumerRecord:
    """Another event in the place of a real one, which came before it."""
    forged = _with(real, ce_id=str(UUID(int=dice.getrandbits(128), version=4)))
    return _record(real.topic, real.partition, real.key, b'{"forged": "stale"}', list(forged.headers))


def _with(record: ConsumerRecord, **changes: str) -> ConsumerRecord:
    headers = [(name, changes[name].encode() if name in changes else value) for name, value in record.headers]
    return _record(record.topic, record.partition, record.key, record.value, headers)


def _header(record: ConsumerRecord, name: str) -> str:
    return str(next(value for header, value in record.headers if header == name), "utf-8")


def _record(
    topic: str, partition: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
) -> ConsumerRecord:
    return ConsumerRecord(topic, partition, 0, 0, 0, key, value, None, len(key or b""), len(value or b""), headers)
