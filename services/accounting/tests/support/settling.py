"""Goods that come back, as orders ask the books to settle them."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from billing import Billing, Ordered

from contracts.return_settlements import ReturnSettled
from contracts.returns import ReturnFee, ReturnSettlementRequested, ReturnToSettle
from tailrace.core.ids import uuid7


def request(
    order: Ordered, shipment: UUID, *quantities: str, fee: int = 0, fee_code: str | None = None
) -> ReturnSettlementRequested:
    lines = [
        ReturnToSettle(shipment_id=shipment, line_id=line.line_id, quantity=Decimal(much))
        for line, much in zip(order.event.lines, quantities, strict=False)
        if much != "0"
    ]
    said: Any = {"number": "RT-000001", "reason": "Broken", "currency": "EUR"}
    wanted = ReturnFee(net=fee, tax_code=fee_code, tax_rate=Decimal("0.1")) if fee else None
    return ReturnSettlementRequested(
        return_id=uuid7(), order_id=order.id, settlement_id=uuid7(), lines=lines, fee=wanted, **said
    )


async def settle(billing: Billing, order: Ordered, shipment: UUID, *quantities: str, **fee: Any) -> ReturnSettled:
    """`fee`, and its tax code `fee_code`, where one is asked for."""
    asked = request(order, shipment, *quantities, **fee)
    await billing.h.deliver(asked, aggregate_id=asked.return_id)
    (answer,) = [
        each.event
        for each in await billing.h.published("accounting.return.settled")
        if isinstance(each.event, ReturnSettled) and each.event.return_settlement_id == asked.settlement_id
    ]
    return answer
