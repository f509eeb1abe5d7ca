"""How invoices keep their copies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounting.invoices import copies
from contracts import catalog
from contracts import customers as buyers
from contracts.orders import OrderCancelled, OrderConfirmed, OrderRestCancelled
from contracts.performances import ServicesPerformed
from contracts.reopenings import OrderReopened
from contracts.shipments import ShipmentDispatched
from contracts.users import TenantCreated, TenantUpdated
from tailrace.db.database import Tx
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.subscribers import Delivery, Projection

customers = replica(
    "accounting.customers",
    Source(
        copies.CustomerCopy,
        "customer_id",
        (buyers.CustomerCreated, buyers.CustomerUpdated, buyers.CustomerRestored),
        buyers.CustomerDeleted,
    ),
    Source(copies.MergeCopy, "customer_id", (buyers.CustomerMerged,), buyers.CustomerUnmerged),
)
orders = replica(
    "accounting.orders",
    Source(copies.OrderCopy, "order_id", (OrderConfirmed,), OrderReopened),
    # What left of it is still invoiced; nothing is asked for ahead.
    Source(copies.OrderCopy, "order_id", (), OrderCancelled),
)
rests = replica(
    "accounting.order_rests", Source(copies.OrderRestCopy, "order_id", (OrderRestCancelled,), OrderReopened)
)
sellers = replica("accounting.sellers", Source(copies.SellerCopy, "tenant_id", (TenantCreated, TenantUpdated)))
companies = replica("accounting.companies", Source(copies.CompanyCopy, "tenant_id", (TenantCreated,)))
taxes = replica(
    "accounting.taxes",
    Source(copies.TaxCodeCopy, *catalog.TAX_CODE),
    Source(copies.TaxPolicyCopy, *catalog.TAX_POLICY),
)
units = replica("accounting.units", Source(copies.UnitCopy, *catalog.UNIT))
templates = replica(
    "accounting.templates",
    Source(copies.TemplateCopy, *catalog.TEMPLATE),
    Source(copies.TemplateChoiceCopy, *catalog.TEMPLATE_CHOICE),
)

deliveries = Projection("accounting.deliveries", tables=[copies.DeliveryCopy])


@deliveries.batch(ShipmentDispatched, ServicesPerformed)
async def keep_deliveries(tx: Tx, found: Sequence[Delivery]) -> None:
    """What has left, and what was performed: both are supplied once, and are not different later."""
    rows = [_row(each.event) for each in found]
    await tx.execute(copies.KEEP_DELIVERY, [{"tenant_id": tx.tenant_id, "active": True, **row} for row in rows])


def _row(event: Any) -> dict[str, Any]:
    if isinstance(event, ServicesPerformed):
        return _performed(event)
    assert isinstance(event, ShipmentDispatched)
    lines = [line.model_dump(mode="json") for line in event.lines]
    return _supplied(event, event.shipment_id, event.dispatched_at, lines)


def _performed(event: ServicesPerformed) -> dict[str, Any]:
    lines = [
        {**line.model_dump(mode="json", exclude={"performed_before"}), "dispatched_before": str(line.performed_before)}
        for line in event.lines
    ]
    return _supplied(event, event.performance_id, event.performed_at, lines)


def _supplied(
    event: ShipmentDispatched | ServicesPerformed, id: UUID, at: datetime, lines: list[dict[str, Any]]
) -> dict[str, Any]:
    said = {name: getattr(event, name) for name in ("order_id", "number", "currency")}
    return {**said, "id": id, "lines": lines, "dispatched_at": at, "performed": isinstance(event, ServicesPerformed)}
