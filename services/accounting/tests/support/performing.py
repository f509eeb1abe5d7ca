"""Services that orders say were performed."""

from datetime import UTC, datetime
from decimal import Decimal

from billing import Billing, Ordered

from contracts.performances import PerformedLine, ServicesPerformed
from tailrace.core.ids import uuid7


def performed(order: Ordered, quantity: str, place: int = 0, at: datetime | None = None) -> ServicesPerformed:
    """So much of one line."""
    line = order.event.lines[place]
    before = order.left.get(line.line_id, Decimal(0))
    order.left[line.line_id] = before + Decimal(quantity)
    return ServicesPerformed(
        order_id=order.id,
        performance_id=uuid7(),
        number=f"{order.event.number}/1",
        currency=order.event.currency,
        lines=[
            PerformedLine(
                line_id=line.line_id,
                item_id=line.item_id,
                sku=line.sku,
                name=line.name,
                quantity=Decimal(quantity),
                line_quantity=line.quantity,
                line_net=line.net,
                line_tax=line.tax,
                performed_before=before,
            )
        ],
        performed_at=at or datetime.now(UTC),
    )


async def perform(billing: Billing, order: Ordered, quantity: str, place: int = 0, at: datetime | None = None) -> str:
    """It is heard as the order's own event."""
    event = performed(order, quantity, place, at)
    await billing.h.deliver(event, aggregate_id=order.id)
    return str(event.performance_id)
