"""Goods that were bought, sent back or used, told of as inventory and shipping do."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from selling_desk import NOON, Desk

from contracts import asns, inventory
from tailrace.core.ids import uuid7


class Goods:
    """Tells of goods as inventory does: the stock of an item in a warehouse is one stream."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.streams: dict[tuple[UUID, UUID], UUID] = defaultdict(uuid7)
        self.told: list[tuple[Any, datetime]] = []

    async def announce(self, supplier: str, *, outbound: bool = False) -> UUID:
        said: dict[str, Any] = {"number": "A-1", "reference": "R", "partner_name": supplier, "packages": []}
        asn = asns.AsnCreated(asn_id=uuid7(), direction="outbound" if outbound else "inbound", **said)
        await self.desk.h.deliver(asn, aggregate_id=asn.asn_id, time=NOON)
        return asn.asn_id

    async def tell(self, event: Any, known: datetime | None = None) -> None:
        known = known or event.effective_at
        await self.desk.h.deliver(event, aggregate_id=self.streams[event.item_id, event.warehouse_id], time=known)
        self.told.append((event, known))

    async def receive(self, item: UUID, place: UUID, value: int, at: datetime = NOON, **more: Any) -> None:
        said = {"layer_id": uuid7(), "quantity": Decimal("2.5"), "currency": "EUR", "reason": "purchase", **more}
        known = said.pop("known", None)
        event = inventory.StockReceived(item_id=item, warehouse_id=place, value=value, effective_at=at, **said)
        await self.tell(event, known)

    async def issue(self, item: UUID, place: UUID, value: int, at: datetime = NOON, **more: Any) -> None:
        said = {"quantity": Decimal(1), "currency": "EUR", "reason": "shipment", "layers": [], **more}
        await self.tell(inventory.StockIssued(item_id=item, warehouse_id=place, value=value, effective_at=at, **said))
