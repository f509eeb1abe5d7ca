"""Events of other contexts, as they reach accounting."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aiokafka import ConsumerRecord

from accounting.chart import GENERAL
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived
from contracts.performances import PerformedLine, ServicesPerformed
from contracts.shipments import DispatchedLine, ShipmentDispatched
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

CODES = GENERAL.roles
"""The account of each role in the chart that books begin with."""
JANUARY = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def received(value: int, **given: Any) -> StockReceived:
    said: dict[str, Any] = {
        "reason": "opening",
        "currency": "EUR",
        "effective_at": JANUARY,
        "quantity": Decimal(1),
        **given,
    }
    return StockReceived(item_id=uuid7(), warehouse_id=uuid7(), layer_id=uuid7(), value=value, **said)


def issued(value: int, **given: Any) -> StockIssued:
    said: dict[str, Any] = {"reason": "shipment", "currency": "EUR", "effective_at": JANUARY, **given}
    return StockIssued(item_id=uuid7(), warehouse_id=uuid7(), quantity=Decimal(1), value=value, layers=[], **said)


def settled(value: int, provisional: int, **given: Any) -> StockCostSettled:
    said: dict[str, Any] = {"reason": "shipment", "currency": "EUR", "effective_at": JANUARY, **given}
    ids = {"item_id": uuid7(), "warehouse_id": uuid7(), "shortfall_id": uuid7()}
    return StockCostSettled(**ids, quantity=Decimal(1), value=value, provisional=provisional, layers=[], **said)


def adjusted(value: int) -> StockAdjusted:
    return StockAdjusted(
        item_id=uuid7(),
        warehouse_id=uuid7(),
        quantity=Decimal(-1 if value < 0 else 1),
        value=value,
        currency="EUR",
        reason="count",
        effective_at=JANUARY,
    )


def line(net: int, tax: int, quantity: str = "1", whole: str = "1", before: str = "0") -> DispatchedLine:
    return DispatchedLine(
        line_id=uuid7(),
        item_id=uuid7(),
        sku="A-1",
        name="Bracket",
        warehouse_id=uuid7(),
        quantity=Decimal(quantity),
        line_quantity=Decimal(whole),
        line_net=net,
        line_tax=tax,
        dispatched_before=Decimal(before),
    )


def dispatched(lines: Iterable[DispatchedLine], **given: Any) -> ShipmentDispatched:
    said: dict[str, Any] = {
        "currency": "EUR",
        "dispatched_at": JANUARY,
        "number": "SH-000001",
        "order_id": uuid7(),
        **given,
    }
    return ShipmentDispatched(shipment_id=uuid7(), reservation_id=uuid7(), lines=list(lines), **said)


def performed(lines: Iterable[DispatchedLine]) -> ServicesPerformed:
    """The same lines, of services."""
    parts = [
        PerformedLine(
            **each.model_dump(exclude={"warehouse_id", "lots", "dispatched_before"}),
            performed_before=each.dispatched_before,
        )
        for each in lines
    ]
    said: dict[str, Any] = {"currency": "EUR", "performed_at": JANUARY, "number": "SO-000001/1"}
    return ServicesPerformed(performance_id=uuid7(), order_id=uuid7(), lines=parts, **said)


def first_record(accounting: Harness, event: Event) -> ConsumerRecord:
    """The event as the first of a new aggregate, as Kafka hands it over: for deliveries that go on at the same time."""
    id = str(uuid7())
    headers = {
        "ce_id": str(uuid7()),
        "ce_type": event.type,
        "ce_source": f"/tailrace/{event.publisher}",
        "ce_subject": id,
        "ce_time": JANUARY.isoformat(),
        "ce_dataschema": event.schema_uri(),
        "ce_tenantid": str(accounting.tenant),
        "ce_sequence": "1",
        "ce_epoch": "1",
        "ce_correlationid": str(uuid7()),
    }
    return accounting.record(event.topic, id.encode(), event.model_dump_json().encode(), headers)
