"""An order and its lines. Its status is what people decided; allocation and shipment say how far others have got with it, and never decide for it.

Amounts are whole minor units of the order's currency; those of the lines add up to the order's. Every change is a method that refuses, or
records an event.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import orders as events
from contracts.lots import LotQuantity
from contracts.orders import Address, LineQuantity, Progress
from orders.base import Base
from orders.credit.hold import CreditHeld
from orders.lines import OrderLine, Quote
from orders.performing import Performed
from orders.progress import Short, progress, progress_of
from orders.refusals import AllocationUnderWay, AlreadyShipped, NothingToAllocate
from orders.rest import Rest
from orders.states import STATES, Status
from orders.versions import Versioned
from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value
from tailrace.db.visibility import Owned
from tailrace.messaging.handover import Owner

NOTHING = Decimal(0)


class Order(CreditHeld, Versioned, Performed, Rest, Aggregate, Owned, Base):
    __tablename__ = "sales_order"
    owned_by = "owner_id"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        tenant_index("ordered_at", "id"),
        tenant_index("status", "id"),
        tenant_index("customer_reference", "id"),
        tenant_index("customer_id", "id", where="customer_id IS NOT NULL"),
        tenant_index("owner_id", "id"),
        unique_value("quote_id", where="quote_id IS NOT NULL"),
    )

    number: Mapped[str]
    status: Mapped[Status]
    allocation: Mapped[Progress]
    shipment: Mapped[Progress]
    invoicing: Mapped[Progress] = mapped_column(server_default=text("'none'"))
    invoiced: Mapped[int] = mapped_column(server_default=text("0"))
    """What invoices ask for it, tax included, less what was credited."""
    payment: Mapped[Progress] = mapped_column(server_default=text("'none'"))
    paid: Mapped[int] = mapped_column(server_default=text("0"))
    """What of that is on invoices that are paid."""
    allocating: Mapped[bool]
    """Whether an attempt to allocate is under way, from the wish for it to its outcome."""
    shortage: Mapped[str | None]
    """Why the last attempt to allocate did not get everything; None when it did, or is still to come."""
    customer_reference: Mapped[str]
    customer_name: Mapped[str]
    customer_id: Mapped[UUID | None]
    """Whom it was taken for; None for an order that only names somebody."""
    quote_id: Mapped[UUID | None]
    """The quote that it was made of: its prices and taxes are those of the quote, whatever they are by now."""
    quote_number: Mapped[str | None]
    quote_revision: Mapped[int | None]
    owner_id: Mapped[UUID | None]
    """The user who sells; None for nobody."""
    owner_name: Mapped[str | None]
    """What they were called when it became theirs."""
    currency: Mapped[str]
    ordered_at: Mapped[datetime]
    requested_date: Mapped[date | None]
    partial_allowed: Mapped[bool]
    when_short: Mapped[Short] = mapped_column(server_default=text("'stop'"))
    """What becomes of what is not in stock: it stops there until somebody asks again, waits for goods, or is given up."""
    priority: Mapped[int] = mapped_column(server_default=text("5"))
    """Whose turn it is when goods come in: 1 comes first."""
    confirmed_at: Mapped[datetime | None]
    backordered: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether something of it waits for goods."""
    reservation_expires_in_seconds: Mapped[int | None]
    ship_to: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    payment_terms_days: Mapped[int | None]
    """How many days after an invoice it is due; None for what was agreed with the customer."""
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    net: Mapped[int]
    tax: Mapped[int]
    hold_reason: Mapped[str | None]
    cancel_reason: Mapped[str | None]
    correction: Mapped[str | None]
    """Why the order stands although somebody cancelled it, reopened it or put it on hold."""
    lines: Mapped[list[OrderLine]] = relationship(
        back_populates="order", cascade="all, delete-orphan", lazy="selectin", order_by="OrderLine.position"
    )

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def due(self) -> int:
        """What of the total is still to be paid for: all but what was given up."""
        return sum(line.due for line in self.lines)

    @property
    def taxes(self) -> list[events.RateOfTax]:
        """What is taxed at each rate, the lowest first."""
        return events.RateOfTax.of(self.lines)

    # What people do.

    @classmethod
    def drafted(cls, number: str, lines: list[OrderLine], terms: Mapping[str, Any]) -> "Order":
        """A new draft. `terms` are the columns that a client decides."""
        start = {"status": "draft", "allocation": "none", "shipment": "none", "allocating": False}
        start |= {"invoicing": "none", "invoiced": 0, "payment": "none", "paid": 0, "backordered": False, "revision": 1}
        start["performances"] = 0
        order = cls(id=uuid7(), number=number, **start)
        order._take(lines, terms)
        order.record(events.OrderCreated(**order._description()))
        return order

    def after(self, step: str) -> Status:
        """The status that a step leads to. Raises NotADraft, NotConfirmed, NotOnHold or AlreadyCancelled when it is not possible now."""
        return STATES.after(self.status, step, self.number)

    def change(self, lines: list[OrderLine], terms: Mapping[str, Any]) -> None:
        """Replace everything a client may say about a draft."""
        self.status, self.reopen_reason = self.after("changed"), None
        self._take(lines, terms)
        self.record(events.OrderChanged(**self._description()))

    def reprice(self, quotes: Sequence[Quote]) -> None:
        """Put what the lines of a draft cost by now, line by line, in place of what they cost."""
        self.status = self.after("changed")
        for line, quote in zip(self.lines, quotes, strict=True):
            line.take(quote)
        self._add_up()
        self.record(events.OrderChanged(**self._description()))

    def belong_to(self, customer_id: UUID | None) -> None:
        """Its customer turned out to be another. Records nothing for the same."""
        if customer_id != self.customer_id:
            self.customer_id = customer_id
            self.record(events.OrderChanged(**self._description()))

    def confirm(self) -> None:
        self.status, self.confirmed_at = self.after("confirmed"), clock.now()
        self.allocating, self.allocation = bool(self.open_lines()), self.goods_held
        self.record(
            events.OrderConfirmed(
                **self._description(),
                partial_allowed=self.partial_allowed,
                requested_date=self.requested_date,
                revision=self.revision,
            )
        )

    def hand_over(self, to: Owner, reason: str) -> None:
        """Another user sells it, or nobody, whatever state it is in."""
        previous = self.owner_id
        self.owner_id, self.owner_name = to
        said = {"number": self.number, "owner_id": to.id, "owner_name": to.name, "previous_owner_id": previous}
        self.record(events.OrderAssigned(order_id=self.id, reason=reason, **said))

    def hold(self, reason: str) -> None:
        after = self.after("held")
        if self.shipment == "full":
            raise AlreadyShipped(self.number)
        self.status, self.hold_reason = after, reason
        self.record(events.OrderHeld(order_id=self.id, reason=reason))

    def resume(self) -> None:
        self.status, self.hold_reason = self.after("resumed"), None
        self.record(events.OrderResumed(order_id=self.id))

    def cancel(self, reason: str) -> None:
        """Give up what has not left yet; what has been dispatched stays sold. Where services alone are open, it stands for what was supplied."""
        after = self.after("cancelled")
        if self.shipment == "full":
            raise AlreadyShipped(self.number)
        if self.lacks_services_alone:
            self.cancel_services(reason)
            return
        self.status, self.cancel_reason, self.hold_reason, self.allocating = after, reason, None, False
        self.record(events.OrderCancelled(order_id=self.id, reason=reason))

    def forget_fulfilment(self) -> None:
        """Be as it was drafted: nothing of it is held, waits or was given up."""
        for line in self.lines:
            line.allocated = line.backordered = line.cancelled = NOTHING
        self.allocation, self.allocating, self.backordered = "none", False, False
        self.shortage = self.confirmed_at = None

    def allocate(self) -> None:
        """Ask for another attempt at what is still open."""
        self.after("allocated")
        if self.allocating:
            raise AllocationUnderWay(self.number)
        if not self.open_lines():
            raise NothingToAllocate(self.number)
        self.allocating, self.shortage = True, None
        self.record(events.AllocationRequested(order_id=self.id))

    # What the fulfilment saga does on the order's behalf.

    def open_lines(self) -> list[OrderLine]:
        """The lines that want more stock than is held for them or has left."""
        return [line for line in self.lines if line.open > 0]

    def ask_reservation(self, reservation_id: UUID) -> None:
        """Ask inventory for everything that is open; what it lacks waits there, if that is the order's wish."""
        self.allocating = True
        seconds = self.reservation_expires_in_seconds
        # An order of before the time was noted takes its turn from when it came.
        confirmed_at = self.confirmed_at or self.ordered_at
        self.record(
            events.ReservationRequested(
                order_id=self.id,
                reservation_id=reservation_id,
                lines=[
                    events.RequestedLine(
                        line_id=line.id,
                        item_id=line.item_id,
                        warehouse_id=line.warehouse_id,
                        quantity=line.open,
                        lot=line.lot,
                        remaining_days=line.remaining_days,
                    )
                    for line in self.open_lines()
                ],
                partial_allowed=self.partial_allowed,
                rank=events.Rank(priority=self.priority, requested_date=self.requested_date, confirmed_at=confirmed_at),
                waits=self.when_short == "wait",
                hold_seconds=seconds,
                expires_at=None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds),
            )
        )

    def stop_waiting(self, reservation_id: UUID, reason: str) -> None:
        """Ask inventory not to fill the back-order of that request any more."""
        self.record(
            events.BackorderCancellationRequested(order_id=self.id, reservation_id=reservation_id, reason=reason)
        )
        self.wait({})

    def wait(self, waits: Mapping[UUID, Decimal]) -> None:
        """Note how much of each line waits for goods; records nothing when nothing changed by it."""
        before = [line.backordered for line in self.lines]
        for line in self.lines:
            line.backordered = waits.get(line.id, NOTHING)
        self.backordered = any(line.backordered for line in self.lines)
        if before != [line.backordered for line in self.lines]:
            lines = [(line.id, line.backordered) for line in self.lines if line.backordered]
            said = [LineQuantity(line_id=id, quantity=quantity) for id, quantity in lines]
            self.record(events.OrderBackordered(order_id=self.id, lines=said))

    def ask_release(self, reservation_id: UUID, reason: str, departed: Sequence[events.Departure] = ()) -> None:
        """Ask inventory to free a reservation, but for what `departed` took of it."""
        self.record(
            events.ReservationReleaseRequested(
                order_id=self.id, reservation_id=reservation_id, reason=reason, departed=list(departed)
            )
        )

    def hold_stock(self, held: Mapping[UUID, Decimal]) -> None:
        """Note what is held now, by line; what has left stays allocated. Records nothing when nothing changed by it."""
        before = [line.allocated for line in self.lines]
        for line in self.lines:
            line.allocated = line.shipped + held.get(line.id, NOTHING)
        if before != [line.allocated for line in self.lines]:
            self.allocation = self.goods_held
            self.record(
                events.OrderAllocated(
                    order_id=self.id,
                    allocation=self.allocation,
                    lines=[LineQuantity(line_id=line.id, quantity=line.allocated) for line in self.lines],
                )
            )

    def fall_short(self, reason: str, *, allocating: bool) -> None:
        """Say what is missing; that ends the attempt to allocate, unless `allocating`: another one is under way."""
        self.allocating, self.shortage = allocating, reason
        self.record(
            events.OrderAllocationFailed(
                order_id=self.id,
                reason=reason,
                lines=[LineQuantity(line_id=line.id, quantity=line.open) for line in self.open_lines()],
            )
        )

    def ask_shipment(
        self,
        reservation_id: UUID,
        held: Mapping[UUID, Decimal],
        lots: Mapping[UUID, list[LotQuantity]],
        *,
        allocating: bool,
    ) -> None:
        """Ask shipping to send what a reservation holds; that ends the attempt to allocate, unless `allocating`: another one is under way."""
        self.allocating = allocating
        self.shortage = "Only a part of it is in stock." if self.open_lines() else None
        self.record(
            events.ShipmentRequested(
                order_id=self.id,
                shipment_id=uuid7(),
                reservation_id=reservation_id,
                number=self.number,
                customer_reference=self.customer_reference,
                customer_name=self.customer_name,
                ship_to=None if self.ship_to is None else Address.model_validate(self.ship_to),
                currency=self.currency,
                customer_id=self.customer_id,
                lines=[line.to_ship(held[line.id], lots.get(line.id, [])) for line in self.lines if line.id in held],
            )
        )

    def ask_shipment_cancel(self, reason: str, reservation_id: UUID | None = None) -> None:
        """Ask shipping to cancel what has not left: of one reservation, or of the whole order."""
        self.record(
            events.ShipmentCancellationRequested(order_id=self.id, reason=reason, reservation_id=reservation_id)
        )

    def ship(self, dispatched: Iterable[tuple[UUID, Decimal]]) -> None:
        """Note what left, by line. When that is everything, what was decided meanwhile came too late."""
        lines = {line.id: line for line in self.lines}
        for line_id, quantity in dispatched:
            lines[line_id].shipped += quantity
        self.shipment = progress((line.shipped, line.wanted) for line in self.lines)
        self.record(
            events.OrderShipmentProgressed(
                order_id=self.id,
                shipment=self.shipment,
                lines=[LineQuantity(line_id=line.id, quantity=line.shipped) for line in self.lines],
            )
        )
        if self.shipment == "full":
            self._stand()

    def invoice(self, invoice_id: UUID, number: str, amount: int) -> None:
        """Note that an invoice asks for so much of it; below zero, that a credit note takes it back."""
        self.invoiced += amount
        self.invoicing = progress_of(self.invoiced, self.due)
        self.record_as(events.OrderInvoiced, order_id=self.id, invoice_id=invoice_id, invoice_number=number)

    def pay(self, invoice_id: UUID, number: str, amount: int) -> None:
        """Note that so much of it was paid; below zero, that it is not any more."""
        self.paid += amount
        self.payment = progress_of(self.paid, self.due)
        self.record_as(events.OrderPaid, order_id=self.id, invoice_id=invoice_id, invoice_number=number)

    def _stand(self) -> None:
        """Everything has left: an order that is cancelled or on hold was so for others in vain, and is confirmed."""
        if self.status == "cancelled":
            self.correction = f"Everything had left before the cancellation reached it: {self.cancel_reason}"
            self.status, self.cancel_reason = "confirmed", None
            self.record(events.OrderReinstated(order_id=self.id, reason=self.correction))
        elif self.status == "reopening":
            self.stay_confirmed("Everything")
        elif self.status == "on_hold":
            self.correction = f"Everything had left before the hold reached it: {self.hold_reason}"
            self.status, self.hold_reason = "confirmed", None
            self.record(events.OrderResumed(order_id=self.id, reason=self.correction))

    def _take(self, lines: list[OrderLine], terms: Mapping[str, Any]) -> None:
        for name, value in terms.items():
            setattr(self, name, value)
        self.lines = lines
        self._add_up()

    def _add_up(self) -> None:
        self.net = sum(line.net for line in self.lines)
        self.tax = sum(line.tax for line in self.lines)

    def _description(self) -> dict[str, Any]:
        same = ("number", "customer_reference", "customer_name", "customer_id", "quote_id", "quote_number")
        others = ("quote_revision", "owner_id", "owner_name", "currency", "net", "tax", "taxes", "ordered_at")
        said = {name: getattr(self, name) for name in (*same, *others, "payment_terms_days", "custom_fields")}
        return {"order_id": self.id, "lines": [line.described() for line in self.lines], **said}
