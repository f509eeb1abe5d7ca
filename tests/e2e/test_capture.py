"""The way from commit to topic: byte for byte, in order, no gap; and an idle service does not hold the log of the busy ones."""

import asyncio
import json
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import jsonschema_rs
import pytest
import way
from company import Company
from described import asyncapi, built

from debezium_connector_config import validate_live
from tailrace.capture.connectors import connector_config
from tailrace.core.names import slot_name
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

pytestmark = pytest.mark.operates

_FORGED = """
INSERT INTO outbox (id, tenant_id, topic, aggregate_id, sequence, type, schema_version, dataschema, source,
                    correlation_id, causation_id, actor_id, traceparent, payload)
VALUES ($1, $2, 'inventory.events', $3, 1, 'inventory.stock.received', 1, 'urn:tailrace:schema:inventory.stock.received:v1',
        '/tailrace/inventory', $1, $1, 'service:orders', '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', '{}')"""
MOST_HELD = 16 * 1024 * 1024
SERVICES = [service for service in load_services() if service.topic is not None]


@pytest.mark.parametrize("service", SERVICES, ids=[s.name for s in SERVICES])
async def test_connect_accepts_every_connector(service: Service, fleet: Stack) -> None:
    environment = fleet.environment
    settings = Settings(postgres=environment["TAILRACE_POSTGRES"], secret=environment["TAILRACE_SECRET"])
    config = connector_config(service, settings)
    assert await asyncio.to_thread(validate_live, fleet.connect_url, config) == []


async def test_topics_hold_exactly_what_was_committed(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    order = await company.order(2)
    await company.ship(order["id"])
    await company.settled(fleet)
    tenant = company.member.tenant_id
    for service in SERVICES:
        rows = await _outbox(fleet, service.name, tenant)
        events = await _events(fleet, service, tenant, len(rows))
        assert {row["id"]: row["payload"] for row in rows} == {event["ce_id"]: event["value"] for event in events}
        sequences: dict[str, list[int]] = {}
        for event in events:
            sequences.setdefault(event["ce_subject"], []).append(int(event["ce_sequence"]))
            assert (event["ce_specversion"], event["content-type"]) == ("1.0", "application/json")
            _check_described(event)
        assert all(found == list(range(1, len(found) + 1)) for found in sequences.values()), service.name


async def test_a_service_that_was_taken_over_reaches_no_topic_of_another(fleet: Stack) -> None:
    """It may write whatever it likes into its own outbox: the connector carries that to its own topic, and readers refuse a source that lies."""
    orders = next(service for service in SERVICES if service.name == "orders")
    tenant, forged = str(uuid4()), uuid4()
    settings = way.settings_of(fleet)
    address = fleet.postgres_url.rpartition("@")[2].rsplit("/", 1)[0]
    app = await asyncpg.connect(f"postgresql://orders_app:{settings.role_password('orders_app')}@{address}/orders")
    try:
        async with app.transaction():
            await app.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
            await app.execute(_FORGED, forged, UUID(tenant), uuid4())
    finally:
        await app.close()
    (event,) = await _events(fleet, orders, tenant, 1)
    assert (event["ce_id"], event["ce_source"]) == (str(forged), "/tailrace/inventory")
    assert await _topic(fleet, "inventory.events", tenant) == []


async def test_an_idle_slot_lets_go_of_the_log_while_another_service_is_busy(fleet: Stack, gateway: Gateway) -> None:
    """Orders are made all the while; what fills the log beside them is written to their database at once, since through orders it takes minutes."""
    company = await Company.found(gateway)
    admin = await asyncpg.connect(fleet.postgres_url)
    orders = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/orders")
    idle = {slot_name(s.name) for s in SERVICES} - {"orders_outbox"}
    held: list[int] = []

    async def write() -> None:
        await orders.execute("CREATE TABLE ballast (weight text STORAGE EXTERNAL)")
        began = await admin.fetchval("SELECT pg_current_wal_lsn() - '0/0'")
        while await admin.fetchval("SELECT pg_current_wal_lsn() - '0/0'") - began < 2 * MOST_HELD:
            await company.order(1)
            await orders.execute("INSERT INTO ballast SELECT repeat('x', 100000) FROM generate_series(1, 5)")
            rows = await admin.fetch(
                "SELECT slot_name, pg_current_wal_lsn() - restart_lsn AS held FROM pg_replication_slots"
            )
            held.extend(int(row["held"]) for row in rows if row["slot_name"] in idle)
            await asyncio.sleep(0.7)

    try:
        await write()
    finally:
        await orders.execute("DROP TABLE IF EXISTS ballast")
        await orders.close()
        await admin.close()
    assert held
    assert max(held) <= MOST_HELD, f"an idle slot held {max(held) / 1e6:.1f} MB"


def _check_described(event: dict[str, str]) -> None:
    """Raises ValidationError when the AsyncAPI document says otherwise about the headers or the value."""
    message = asyncapi()["components"]["messages"][f"{event['ce_type']}.v{event['ce_dataschema'].rpartition(':v')[2]}"]
    headers = {name: value for name, value in event.items() if name != "value"}
    whole = {**message["headers"], "components": asyncapi()["components"]}
    jsonschema_rs.Draft7Validator(whole, validate_formats=True).validate(headers)
    schema = json.loads(built()[Path(message["payload"]["$ref"])])
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(json.loads(event["value"]))


async def _events(fleet: Stack, service: Service, tenant: str, count: int) -> list[dict[str, str]]:
    """The tenant's events on the service's topic, when there are at least so many."""

    async def read() -> list[dict[str, str]]:
        return await _topic(fleet, str(service.topic), tenant)

    return await eventually(read, lambda events: len(events) >= count, what=f"{count} events of {service.name}")


async def _outbox(fleet: Stack, database: str, tenant: str) -> list[dict[str, str]]:
    connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + f"/{database}")
    try:
        rows = await connection.fetch("SELECT id::text, payload FROM outbox WHERE tenant_id = $1::uuid", tenant)
        return [dict(row) for row in rows]
    finally:
        await connection.close()


async def _topic(fleet: Stack, topic: str, tenant: str) -> list[dict[str, str]]:
    events: list[dict[str, str]] = []
    for record in await way.records(fleet.kafka, topic):
        assert None not in dict(record.headers).values(), "a header with a null value: CloudEvents SDKs stumble over it"
        headers = {name: value.decode() for name, value in record.headers}
        events.append({**headers, "value": (record.value or b"").decode()})
    return [event for event in events if event.get("ce_tenantid") == tenant]
