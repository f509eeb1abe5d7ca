"""A return: which goods of an order may come back, why, and how far they have come; and which services are taken back, of which nothing comes.

Quantities are in each item's base unit; amounts are whole minor units of the order's currency. Every change is a method that refuses, or records an
event.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import return_shipments as goods
from contracts import returns as events
from contracts.orders import LineQuantity
from contracts.return_settlements import ReturnSettled
from contracts.returns import ReturnStatus
from orders.base import Base
from orders.models import NOTHING, Order
from orders.returns.lines import ReturnLine
from orders.returns.refusals import BeingCancelled
from orders.returns.states import STATES
from tailrace.core.ids import uuid7
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value
from tailrace.db.visibility import Owned
from tailrace.messaging.handover import Owner

AnyGoods = TypeVar("AnyGoods", goods.ReceivedLine, goods.InspectedLine)


class ReturnReason(MasterData, Base):
    """Why goods come back, as the company counts it."""

    __tablename__ = "return_reason"
    created, updated = events.ReturnReasonCreated, events.ReturnReasonUpdated
    deleted, restored = events.ReturnReasonDeleted, events.ReturnReasonRestored

    code: Mapped[str]
    active: Mapped[bool]


class Return(Aggregate, Owned, Base):
    """The owner is the order's. `quantity` of a line is what is still agreed: what was never sent is taken off when the rest is cancelled."""

    __tablename__ = "customer_return"
    owned_by = "owner_id"
    __table_args__ = (
        unique_value("number"),
        refers_to("sales_order", "order_id"),
        tenant_index("order_id", "id"),
        tenant_index("status", "id"),
        tenant_index("customer_id", "id", where="customer_id IS NOT NULL"),
        tenant_index("owner_id", "id"),
        tenant_index("created_at", "id"),
        tenant_index("exchange_order_id", where="exchange_order_id IS NOT NULL"),
    )

    number: Mapped[str]
    status: Mapped[ReturnStatus]
    cancelling: Mapped[bool]
    """Whether shipping has been asked to expect nothing more, and has yet to answer."""
    cancel_reason: Mapped[str | None]
    order_id: Mapped[UUID]
    order_number: Mapped[str]
    customer_id: Mapped[UUID | None]
    customer_name: Mapped[str]
    owner_id: Mapped[UUID | None]
    owner_name: Mapped[str | None]
    return_reason_id: Mapped[UUID]
    reason_code: Mapped[str]
    reason: Mapped[str]
    """What the reason was called then."""
    note: Mapped[str | None]
    currency: Mapped[str]
    fee_net: Mapped[int]
    fee_tax_code: Mapped[str | None]
    fee_tax_rate: Mapped[Decimal] = mapped_column(Numeric(9, 6))
    settling: Mapped[int]
    """How many settlements accounting was asked for and has not answered."""
    fee_asked: Mapped[bool]
    credited_net: Mapped[int]
    credited_tax: Mapped[int]
    fee: Mapped[int]
    """What the fee's invoice asks for, tax included; zero before that."""
    return_shipment_id: Mapped[UUID | None]
    """What shipping expects it as; None before it is authorised, and where nothing comes back."""
    exchange_order_id: Mapped[UUID | None]
    exchange_order_number: Mapped[str | None]
    lines: Mapped[list[ReturnLine]] = relationship(
        back_populates="of", cascade="all, delete-orphan", lazy="selectin", order_by="ReturnLine.position"
    )

    # What people do.

    @classmethod
    def requested(
        cls,
        number: str,
        order: Order,
        reason: ReturnReason,
        note: str | None,
        fee: events.ReturnFee | None,
        lines: list[ReturnLine],
    ) -> "Return":
        asked = cls(
            id=uuid7(),
            number=number,
            status="requested",
            cancelling=False,
            order_id=order.id,
            order_number=order.number,
            customer_id=order.customer_id,
            customer_name=order.customer_name,
            owner_id=order.owner_id,
            owner_name=order.owner_name,
            return_reason_id=reason.id,
            reason_code=reason.code,
            reason=reason.name,
            note=note,
            currency=order.currency,
            fee_net=fee.net if fee else 0,
            fee_tax_code=fee.tax_code if fee else None,
            fee_tax_rate=fee.tax_rate if fee else NOTHING,
            settling=0,
            fee_asked=False,
            credited_net=0,
            credited_tax=0,
            fee=0,
            lines=lines,
        )
        asked.record(events.ReturnRequested(**asked._description()))
        return asked

    def authorise(self) -> None:
        """Agree to it: from here on its goods are expected, and its services are taken back. Raises ReturnState."""
        self.status = STATES.after(self.status, "authorised", self.number)
        services = [line for line in self.lines if line.performed]
        self.return_shipment_id = uuid7() if len(services) < len(self.lines) else None
        # Of services alone, the event says an id that nothing will have: a version of it never loses a field.
        asked = self.return_shipment_id or uuid7()
        self.record(events.ReturnAuthorised(**self._description(), return_shipment_id=asked))
        if services:
            for line in services:
                line.received = line.accepted = line.quantity
            self._progress()
            self._settle({line.id: line.accepted for line in services})

    def cancel(self, reason: str) -> None:
        """Expect nothing more of it. Once it was authorised, that holds when shipping has answered. Raises ReturnState, BeingCancelled."""
        after = STATES.after(self.status, "cancelled", self.number)
        if self.cancelling:
            raise BeingCancelled(f"Return {self.number} waits for shipping to answer.")
        self.cancel_reason = reason
        if after == "cancelled":
            self._end(reason)
        else:
            assert self.return_shipment_id is not None, "what is authorised is expected"
            self.cancelling = True
            said = {"return_shipment_id": self.return_shipment_id, "reason": reason}
            self.record(events.ReturnCancellationRequested(**self._ids(), **said))

    def hand_over(self, to: Owner) -> None:
        """Another user looks after it, or nobody."""
        previous = self.owner_id
        self.owner_id, self.owner_name = to
        said = {"number": self.number, "owner_id": to.id, "owner_name": to.name, "previous_owner_id": previous}
        self.record(events.ReturnAssigned(**self._ids(), **said))

    # What others say of it.

    def receive(self, came: Iterable[goods.ReceivedLine]) -> None:
        """Note what came back. Nothing of a service does, which a shipping that is older than this would have expected."""
        lines, goods = self._by_id(), self._of_goods(came)
        for one in goods:
            lines[one.return_line_id].received += one.quantity
        if goods:
            self._progress()

    def inspect(self, looked_at: Iterable[goods.InspectedLine]) -> None:
        """Note what becomes of it, and have accounting settle what is accepted; services were, by the authorisation."""
        lines, goods = self._by_id(), self._of_goods(looked_at)
        accepted: dict[UUID, Decimal] = {}
        for one in goods:
            line = lines[one.return_line_id]
            if one.verdict == "send_back":
                line.sent_back += one.quantity
            else:
                line.accepted += one.quantity
                accepted[line.id] = accepted.get(line.id, NOTHING) + one.quantity
        if goods:
            self._progress()
            self._settle(accepted)

    def end_expectation(self, reason: str, received: Iterable[goods.ReceivedInAll]) -> None:
        """Shipping takes in nothing more: what has come by then is what was agreed."""
        came = {one.return_line_id: one.quantity for one in received}
        for line in self.lines:
            if not line.performed:
                line.quantity = came.get(line.id, NOTHING)
        self.cancelling = False
        if any(line.quantity for line in self.lines):
            self._progress()
            self._settle({})
        else:
            self._end(reason)

    def credit(self, settled: ReturnSettled) -> None:
        """Accounting took back what some of it was sold for."""
        self.settling -= 1
        self.credited_net += settled.credited_net
        self.credited_tax += settled.credited_tax
        self.fee += settled.fee
        self.record(
            events.ReturnCredited(
                **self._ids(),
                settlement_id=settled.return_settlement_id,
                currency=self.currency,
                credited_net=self.credited_net,
                credited_tax=self.credited_tax,
                fee=self.fee,
            )
        )

    @property
    def to_exchange(self) -> list[ReturnLine]:
        """The lines of which something is accepted and to be supplied once more; nothing before everything was looked at, or once it was ordered."""
        if self.status != "inspected" or self.exchange_order_id is not None:
            return []
        return [line for line in self.lines if line.outcome == "exchange" and line.accepted]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.status == "inspected" and self.settling == 0 and not self.to_exchange

    def close(self) -> None:
        """Nothing more happens with it."""
        self.status = "closed"
        accepted: dict[UUID, Decimal] = {}
        for line in self.lines:
            accepted[line.line_id] = accepted.get(line.line_id, NOTHING) + line.accepted
        self.record(
            events.ReturnClosed(
                **self._ids(),
                number=self.number,
                lines=[LineQuantity(line_id=id, quantity=quantity) for id, quantity in accepted.items()],
                exchange_order_id=self.exchange_order_id,
            )
        )

    def _progress(self) -> None:
        if any(line.received < line.quantity for line in self.lines):
            came = any(line.received for line in self.lines)
            self.status = "partly_received" if came else "authorised"
        elif all(line.judged == line.received for line in self.lines):
            self.status = "inspected"
        else:
            self.status = "received"
        said = [events.ReturnedSoFar(**line.so_far()) for line in self.lines]
        self.record(events.ReturnProgressed(**self._ids(), status=self.status, lines=said))

    def _settle(self, accepted: Mapping[UUID, Decimal]) -> None:
        """Ask accounting for what was accepted now; for the fee as well, once, when nothing more comes."""
        due = self.status == "inspected" and not self.fee_asked and self.fee_net > 0
        fee = None
        if due and any(line.accepted for line in self.lines):
            self.fee_asked = True
            fee = events.ReturnFee(net=self.fee_net, tax_code=self.fee_tax_code, tax_rate=self.fee_tax_rate)
        lines = [
            events.ReturnToSettle(shipment_id=line.shipment_id, line_id=line.line_id, quantity=accepted[line.id])
            for line in self.lines
            if line.id in accepted
        ]
        if lines or fee:
            self.settling += 1
            self.record(
                events.ReturnSettlementRequested(
                    **self._ids(),
                    settlement_id=uuid7(),
                    number=self.number,
                    reason=self.reason,
                    currency=self.currency,
                    lines=lines,
                    fee=fee,
                )
            )

    def _end(self, reason: str) -> None:
        self.status = "cancelled"
        self.record(events.ReturnCancelled(**self._ids(), reason=reason))

    def _of_goods(self, said: Iterable[AnyGoods]) -> list[AnyGoods]:
        lines = self._by_id()
        return [one for one in said if not lines[one.return_line_id].performed]

    def _by_id(self) -> dict[UUID, ReturnLine]:
        return {line.id: line for line in self.lines}

    def _ids(self) -> dict[str, Any]:
        return {"return_id": self.id, "order_id": self.order_id}

    def _description(self) -> dict[str, Any]:
        fee = {"net": self.fee_net, "tax_code": self.fee_tax_code, "tax_rate": self.fee_tax_rate}
        same = ("number", "order_number", "customer_id", "customer_name", "owner_id", "owner_name")
        others = ("reason_code", "reason", "note", "currency")
        said = {name: getattr(self, name) for name in (*same, *others)}
        lines = [line.described() for line in self.lines]
        return {**self._ids(), **said, "fee": fee if self.fee_net else None, "lines": lines}
