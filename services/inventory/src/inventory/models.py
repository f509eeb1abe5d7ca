"""The tables: the event streams, which are the truth, and beside them the rows that lists read, written in the same transaction."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contracts.inventory import LotStatus
from tailrace.db.event_streams import stream_table
from tailrace.db.keys import tenant_index
from tailrace.db.models import StreamRow, Tables, TenantRow
from tailrace.db.row_security import INSERT_ONLY


class Base(Tables, DeclarativeBase):
    """The tables of inventory."""


inventory_event = stream_table("inventory_event", Base.metadata)


class StockLevel(StreamRow, Base):
    """How much of an item is in a warehouse, in base units and minor units.

    `provisional` is what left at a provisional cost and is not covered yet; `on_hand` is less by it, and may be below zero.
    """

    __tablename__ = "stock_level"
    __table_args__ = (
        UniqueConstraint("tenant_id", "item_id", "warehouse_id"),
        tenant_index("warehouse_id", "id"),
        tenant_index("updated_at", "id"),
        tenant_index("provisional", where="provisional <> 0"),
    )

    item_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    on_hand: Mapped[Decimal]
    reserved: Mapped[Decimal]
    value: Mapped[int]
    currency: Mapped[str]
    provisional: Mapped[Decimal] = mapped_column(server_default=text("0"))

    @property
    def available(self) -> Decimal:
        """What can be promised: what left without being in the books does not eat up what is held."""
        return self.on_hand + self.provisional - self.reserved


class Movement(TenantRow, Base):
    """A line of the stock ledger: what a stream event moved, signed, and the balance after it. Never changed."""

    __tablename__ = "movement"
    __table_args__ = (
        UniqueConstraint("tenant_id", "stock_id", "seq"),
        tenant_index("item_id", "id"),
        tenant_index("warehouse_id", "id"),
        tenant_index("effective_at", "id"),
        tenant_index("order_id", where="order_id IS NOT NULL"),
        tenant_index("shipment_id", where="shipment_id IS NOT NULL"),
        tenant_index("receipt_id", where="receipt_id IS NOT NULL"),
        tenant_index("delivery_line_id", where="delivery_line_id IS NOT NULL"),
        INSERT_ONLY,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    stock_id: Mapped[UUID]
    seq: Mapped[int]
    item_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    kind: Mapped[str]
    reason: Mapped[str]
    quantity: Mapped[Decimal]
    value: Mapped[int]
    currency: Mapped[str]
    on_hand: Mapped[Decimal]
    """The balance after the movement, as is `stock_value`."""
    stock_value: Mapped[int]
    reference: Mapped[str | None]
    other_warehouse_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    shipment_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    """Whom it was shipped to, where the order was of a customer who is kept."""
    reservation_id: Mapped[UUID | None]
    receipt_id: Mapped[UUID | None]
    """Of what went back to its supplier: the movement that it came in with, when it is known."""
    credited: Mapped[int | None]
    """Of the same: what it was received for, and so what the supplier owes for it."""
    delivery_line_id: Mapped[UUID | None]
    """Of what was put away of a delivery: which line of it."""
    delivered: Mapped[Decimal | None]
    """Of the same: how much of that line, as its notice counts."""
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Reservation(StreamRow, Base):
    """A reservation as lists show it. `requested` holds its lines as they were answered, `held` what is still held, by line."""

    __tablename__ = "reservation"
    __table_args__ = (
        tenant_index("order_id"),
        tenant_index("status", "id"),
        tenant_index("created_at", "id"),
    )

    order_id: Mapped[UUID | None]
    status: Mapped[str]
    complete: Mapped[bool]
    requested: Mapped[list[dict[str, Any]]]
    held: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    expires_at: Mapped[datetime | None]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line with what was requested, what was reserved, and what is held now."""
        return [{**line, "held": self.held.get(line["line_id"], "0")} for line in self.requested]


class Lot(StreamRow, Base):
    """A lot or a serial number of an item, with what quality says of it."""

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("tenant_id", "item_id", "number"),
        tenant_index("item_id", "number_key"),
        tenant_index("number", "id"),
        tenant_index("number_key"),
        tenant_index("status", "id"),
        tenant_index("expires_on", "id", where="expires_on IS NOT NULL"),
        tenant_index("created_at", "id"),
    )

    item_id: Mapped[UUID]
    number: Mapped[str]
    number_key: Mapped[str]
    """What the number has in common with every other spelling of it."""
    serial: Mapped[bool]
    status: Mapped[LotStatus]
    reason: Mapped[str | None]
    """Why quality says so; None for what it came in with."""
    decided_by: Mapped[str | None]
    """Who said so; None for what it came in with."""
    expires_on: Mapped[date | None]


class LotStock(TenantRow, Base):
    """How much of a lot lies in a warehouse; there is no row for nothing."""

    __tablename__ = "lot_stock"
    __table_args__ = (tenant_index("lot_id"),)

    stock_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    warehouse_id: Mapped[UUID]
    quantity: Mapped[Decimal]
    reserved: Mapped[Decimal]


class LotMovement(TenantRow, Base):
    """How much of a lot a movement moved, signed, and what for. Never changed."""

    __tablename__ = "lot_movement"
    __table_args__ = (
        UniqueConstraint("tenant_id", "stock_id", "seq", "lot_id"),
        tenant_index("lot_id", "id"),
        INSERT_ONLY,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    lot_id: Mapped[UUID]
    stock_id: Mapped[UUID]
    seq: Mapped[int]
    warehouse_id: Mapped[UUID]
    quantity: Mapped[Decimal]
    kind: Mapped[str]
    reason: Mapped[str]
    reference: Mapped[str | None]
    other_warehouse_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    shipment_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Backorder(StreamRow, Base):
    """What an order waits for. It has its goods in the order of `priority`, `wanted_on`, `confirmed_at` and `id`."""

    __tablename__ = "backorder"
    __table_args__ = (
        tenant_index("order_id"),
        tenant_index("status", "id"),
        tenant_index("priority", "id"),
    )

    order_id: Mapped[UUID]
    request_id: Mapped[UUID]
    status: Mapped[str]
    complete: Mapped[bool]
    priority: Mapped[int]
    wanted_on: Mapped[date]
    """The requested date; the last day there is, for an order without one."""
    confirmed_at: Mapped[datetime]
    hold_seconds: Mapped[int | None]
    lines: Mapped[list[dict[str, Any]]]
    reason: Mapped[str | None]

    @property
    def requested_date(self) -> date | None:
        return None if self.wanted_on == date.max else self.wanted_on


class BackorderPlace(TenantRow, Base):
    """That an open back-order waits for an item in a warehouse."""

    __tablename__ = "backorder_place"
    __table_args__ = (tenant_index("item_id", "warehouse_id"),)

    backorder_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    warehouse_id: Mapped[UUID] = mapped_column(primary_key=True)
