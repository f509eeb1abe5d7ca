"""What leaves a service is read by the CloudEvents SDK, an implementation of others, and says to it what was committed."""

import json
from datetime import datetime

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from toy import Note
from toy import service as toy_service

from tailrace.capture.republish import Outgoing, retained
from tailrace_testing import Harness


async def _leaving(toy: Harness) -> list[Outgoing]:
    """The records of what was committed: byte for byte what the connector makes of it (`tests/e2e/test_republishing.py`)."""
    return [out async for chunk in retained(toy.admin, toy_service, None) for out in chunk]


async def test_the_sdk_reads_every_attribute_of_an_event_that_a_request_led_to(toy: Harness) -> None:
    async with toy.tx() as tx:
        note = Note.write("hello")
        tx.add(note)
        await tx.flush()
        note.close()
    (row, _) = await toy.admin.fetch("SELECT * FROM outbox ORDER BY sequence")
    first, second = sorted(await _leaving(toy), key=lambda out: dict(out.headers)["ce_sequence"] or b"")
    headers = dict(first.headers)
    assert all(isinstance(value, bytes) and value for value in headers.values())
    event = from_binary_event(
        KafkaMessage({name: value or b"" for name, value in first.headers}, first.key, first.value)
    )
    told = event.get_attributes()
    assert (told["id"], told["type"], told["source"]) == (str(row["id"]), "note.written", "/tailrace/toy")
    assert (told["subject"], told["tenantid"]) == (str(note.id), str(toy.tenant))
    assert isinstance(told["time"], datetime)
    assert told["time"] == row["recorded_at"]
    assert (told["sequence"], told["sequencetype"]) == ("1", "Integer")
    assert told["causationid"] == told["correlationid"] == str(row["correlation_id"])
    assert event.get_data() == json.loads(row["payload"])
    assert dict(second.headers)["ce_sequence"] == b"2"
