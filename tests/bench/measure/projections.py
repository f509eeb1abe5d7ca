"""Projection events per second, one by one and in batches, without Kafka: the kit's own delivery, with marks, tenants and row-level security.

Run inside the scratch workspace, where the generated services are installed: `python -m measure.projections SERVICE SECONDS` prints JSON.
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from aiokafka import ConsumerRecord
from sqlalchemy.dialects.postgresql import insert

from tailrace.core.events import Event
from tailrace.db.database import Database, Tx
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscribers import Delivery, Projection, Subscriber
from tailrace.runtime.fleet import load_services
from tailrace.runtime.migrate import prepare_database
from tailrace.settings import Settings

_TENANT = uuid4()
_RATIOS = {"one by one": 1, "in batches": 500}


async def measure(name: str, seconds: float) -> dict[str, Any]:
    """Events per second, with `n` events each, on a database of their own."""
    (service,) = load_services([name])
    settings = Settings()
    await prepare_database(settings.postgres, service, settings, name=f"{name}_measured")
    database = Database(settings.database(name).rsplit("/", 1)[0] + f"/{name}_measured", name)
    created = service.publishes[0]
    kinds: dict[str, Sequence[Subscriber]] = {
        "a handler for each event": service.subscribers,
        "a handler for many": [_counting(name, created)],
    }
    found: dict[str, Any] = {}
    try:
        for kind, subscribers in kinds.items():
            dispatcher, records = Dispatcher(name, database, subscribers), _records(created)
            for how, size in _RATIOS.items():
                found[f"{kind}, {how}"] = await _deliver(dispatcher, records, size, seconds)
    finally:
        await database.close()
    return found


async def _deliver(
    dispatcher: Dispatcher, records: Iterator[ConsumerRecord], size: int, seconds: float
) -> dict[str, Any]:
    await dispatcher.deliver([next(records) for _ in range(size)])
    delivered, spent = 0, 0.0
    while spent < seconds:
        batch = [next(records) for _ in range(size)]
        began = time.monotonic()
        await dispatcher.deliver(batch)
        spent += time.monotonic() - began
        delivered += size
    return {"per second": round(delivered / spent), "n": delivered, "batch": size}


def _counting(name: str, created: type[Event]) -> Projection:
    """The same read model as the service's own, kept by one statement for each batch."""
    tally: Any = importlib.import_module(f"{name}.models").Tally
    projection = Projection(f"{name}.measured", tables=[tally])

    @projection.batch(created)
    async def count(tx: Tx, deliveries: Sequence[Delivery]) -> None:
        row = insert(tally).values(tenant_id=tx.tenant_id, state="active", number=len(deliveries))
        added = {"number": tally.number + row.excluded.number}
        await tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "state"], set_=added))

    return projection


def _records(created: type[Event]) -> Iterator[ConsumerRecord]:
    """First events of ever new aggregates, as Kafka would hand them out."""
    one = created.type.partition(".")[0]
    offset = 0
    while True:
        id, offset = str(uuid4()), offset + 1
        value = json.dumps({f"{one}_id": id, "code": id, "name": "Measured"}).encode()
        headers = {
            "ce_id": str(uuid4()),
            "ce_type": created.type,
            "ce_source": f"/tailrace/{created.publisher}",
            "ce_subject": id,
            "ce_time": "2026-01-01T00:00:00Z",
            "ce_dataschema": created.schema_uri(),
            "ce_tenantid": str(_TENANT),
            "ce_sequence": "1",
            "ce_epoch": "1",
            "ce_correlationid": id,
        }
        pairs = tuple((name, text.encode()) for name, text in headers.items())
        yield ConsumerRecord(created.topic, 0, offset, 0, 0, id.encode(), value, None, len(id), len(value), pairs)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], float(sys.argv[2])))))
