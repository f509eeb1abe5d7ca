"""Whatever is published a second time, or read a second time, ends in the same rows."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
import way
from company import Company, dead_letters

from tailrace.capture import slots
from tailrace.capture.republish import republish, retained
from tailrace.messaging.consumer import Consumer
from tailrace.runtime.fleet import load_services
from tailrace.stack.embedded import Stack
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import Gateway

Places = dict[str | None, list[tuple[Any, ...]]]
SIGNED = b"audit.head_signed"
BY_THE_CLOCK = {"analytics": {"queued_movement", "lake_export"}, "partners": {"filler", "filling"}}
"""Tables that change while nothing happens: what waits for the lake is written there, and who fills partners' topics says that it is alive."""
pytestmark = pytest.mark.early


async def _topics(fleet: Stack, tenant: str) -> Places:
    """What the topics hold of a tenant: by id, each record with its partition. What the log says of signing itself, by the clock, is left out."""
    found: Places = defaultdict(list)
    for record in await way.records(fleet.kafka, *(str(service.topic) for service in way.PUBLISHING)):
        if ("ce_tenantid", tenant.encode()) in record.headers and ("ce_type", SIGNED) not in record.headers:
            found[way.event_id(record)].append(
                (record.topic, record.partition, record.key, record.value, list(record.headers))
            )
    return found


async def test_rows_published_again_are_the_records_that_were_captured_and_change_nothing(
    fleet: Stack, gateway: Gateway
) -> None:
    company = await Company.found(gateway)
    for quantity in (1, 2):
        await company.ship((await company.order(quantity))["id"])
    await company.settled(fleet)
    tenant, settings = company.member.tenant_id, way.settings_of(fleet)
    captured, rows = await _topics(fleet, tenant), await _effects(fleet, tenant)
    assert captured
    used = {found[0][0] for found in captured.values()}
    mine: Places = {}
    for service in way.PUBLISHING:
        async with slots.connected(service, settings) as connection:
            async for chunk in retained(connection, service, None):
                for out in chunk:
                    its_id = dict(out.headers)["ce_id"]
                    assert its_id is not None
                    mine[its_id.decode()] = [(out.topic, out.key, out.value, out.headers)]
            sent = await republish(connection, service, fleet.kafka, None, lambda _: None)
            assert sent > 0 or service.topic not in used, service.name
    # Byte for byte, null headers and the order of headers included.
    assert {id: mine[id] for id in captured} == {
        id: [(topic, key, value, headers) for topic, _, key, value, headers in found][:1]
        for id, found in captured.items()
    }
    again = await _topics(fleet, tenant)
    assert again.keys() == captured.keys()
    for id, twice in again.items():
        assert len(twice) == len(captured[id]) + 1
        assert all(record == twice[0] for record in twice), "another partition, or another record"
    for service in way.PUBLISHING:
        if topics := way.topics_of(service):
            await way.caught_up(fleet.kafka, service.name, topics)
    assert await _effects(fleet, tenant) == rows
    assert await dead_letters(fleet, company) == []


@pytest.mark.parametrize("name", ["inventory", "accounting"])
async def test_rewound_and_deleted_offsets_end_in_the_same_rows(
    name: str, fleet: Stack, gateway: Gateway, make_harness: MakeHarness
) -> None:
    company = await Company.found(gateway)
    await company.ship((await company.order(3))["id"])
    await company.settled(fleet)
    (service,) = load_services([name])
    # A second instance of the service, on an empty database and in a group of its own, reads everything there is.
    harness, group = await make_harness(service), f"again-{name}-{company.member.slug}"
    topics = sorted(harness.dispatcher.topics)
    await _consume(harness, fleet, group, topics)
    rows = await way.fingerprint(harness.admin)
    assert await harness.admin.fetchval("SELECT count(*) FROM inbox") > 0
    await way.rewind(fleet.kafka, group, topics)
    await _consume(harness, fleet, group, topics)
    assert await way.fingerprint(harness.admin) == rows
    await way.forget(fleet.kafka, group)
    await _consume(harness, fleet, group, topics)
    assert await way.fingerprint(harness.admin) == rows


async def _consume(harness: Harness, fleet: Stack, group: str, topics: list[str]) -> None:
    stop = asyncio.Event()
    consumer = Consumer(group, harness.dispatcher, way.settings_of(fleet))
    running = asyncio.create_task(consumer.run(stop))
    try:
        await way.caught_up(fleet.kafka, group, topics)
    finally:
        stop.set()
        await running


async def _effects(fleet: Stack, tenant: str) -> dict[str, dict[str, Any]]:
    """What the records led to. Of the log that signs itself, and hears of that, there is what it keeps of all the others."""
    found: dict[str, dict[str, Any]] = {
        service: {name: rows for name, rows in tables.items() if name not in BY_THE_CLOCK.get(service, ())}
        for service, tables in (await way.fingerprints(fleet, tenant)).items()
    }
    query = "SELECT id, position, type FROM record WHERE tenant_id = $1 AND type <> $2 ORDER BY position"
    (log,) = (service for service in way.PUBLISHING if service.name == "audit")
    async with way.admin_of(fleet, log) as connection:
        heard = [tuple(row) for row in await connection.fetch(query, tenant, SIGNED.decode())]
    positions = [position for _, position, _ in heard]
    assert positions == sorted(set(positions))
    return {**found, log.name: {"record": [(id, type) for id, _, type in heard]}}
