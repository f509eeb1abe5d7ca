"""A customer with a limit, and what accounting and workflow say of it: for tests of credit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from approvals import answer

from contracts import approvals, customers, invoices, payments, refunds
from contracts.credit import OrderCreditHeld
from tailrace.core.ids import uuid7

from .conftest import Desk

NOON = "2026-11-27T12:00:00Z"
TODAY = date(2026, 11, 27)
MADE_AT = datetime(2026, 11, 27, tzinfo=UTC)


@dataclass
class Buyer:
    """A customer of the desk. An order of `order(n)` comes to n × 110, tax included."""

    desk: Desk
    id: UUID = field(default_factory=uuid7)

    async def described(self, **given: Any) -> "Buyer":
        said = {"number": "C-1", "name": "Ada Works", "kind": "company", "status": "active", **given}
        told = customers.CustomerUpdated(customer_id=self.id, currency="EUR", payment_terms_days=14, **said)
        await self.desk.h.deliver(told, aggregate_id=self.id)
        return self

    async def may_owe(self, limit: int | None, currency: str = "EUR") -> "Buyer":
        told = customers.CustomerCreditChanged(
            customer_id=self.id, credit_limit=limit, previous_credit_limit=None, currency=currency, reason="agreed"
        )
        await self.desk.h.deliver(told, aggregate_id=self.id)
        return self

    async def order(self, quantity: int = 10, currency: str = "EUR", **given: Any) -> dict[str, Any]:
        line = self.desk.line(quantity=str(quantity))
        terms = {"customer_id": str(self.id), "currency": currency, **given}
        return await self.desk.confirmed(line, **terms)

    async def invoice(
        self,
        order: dict[str, Any] | None,
        total: int,
        due_on: date = TODAY,
        currency: str = "EUR",
        prepaid: int = 0,
    ) -> UUID:
        """An invoice of so much, tax included, of an order or of nothing that was ordered here; it deducts what was `prepaid`."""
        id, net = uuid7(), total * 10 // 11
        amounts = {"net": net, "tax": total - net}
        event = invoices.InvoiceIssued(
            invoice_id=id,
            customer_id=self.id,
            customer_name="Ada Works",
            currency=currency,
            **amounts,
            taxes=[],
            lines=[],
            number=f"INV-{id}",
            dated=due_on,
            due_on=due_on,
            delivered_net=0,
            delivered_tax=0,
            prepaid_net=prepaid,
            orders=[] if order is None else [invoices.OrderAmount(order_id=UUID(order["id"]), **amounts)],
            effective_at=MADE_AT,
        )
        await self.desk.h.deliver(event, aggregate_id=id)
        return id

    async def pay(self, amount: int, invoice_id: UUID | None = None, currency: str = "EUR") -> None:
        """Money comes in, and is for an invoice where one is named."""
        id = uuid7()
        amounts = {"currency": currency, "amount": amount, "effective_at": MADE_AT}
        received = payments.PaymentReceived(
            payment_id=id,
            number="P-1",
            customer_id=self.id,
            bank_account_id=uuid7(),
            account="1000",
            value_day=TODAY,
            **amounts,
        )
        await self.desk.h.deliver(received, aggregate_id=id)
        if invoice_id is not None:
            allocated = payments.PaymentAllocated(
                payment_id=id,
                allocation_id=uuid7(),
                invoice_id=invoice_id,
                invoice_number="INV",
                customer_id=self.id,
                invoice_currency=currency,
                settled=amount,
                worth=amount,
                day=TODAY,
                **amounts,
            )
            await self.desk.h.deliver(allocated, aggregate_id=id)

    async def paid_back(
        self,
        amount: int,
        kind: type[refunds.RefundMoved] = refunds.RefundPaid,
        parts: Sequence[tuple[UUID, int]] = (),
    ) -> None:
        """Money goes back that was for no invoice; or comes in again."""
        id = uuid7()
        who = {"refund_id": id, "number": "RF-1", "customer_id": self.id, "account": "1000", "reason": "twice"}
        said = {"currency": "EUR", "amount": amount, "day": TODAY, "effective_at": MADE_AT}
        more: dict[str, Any] = {"bank_account_id": uuid7()} if kind is refunds.RefundPaid else {}
        more["parts"] = [
            refunds.RefundedPart(payment_id=uuid7(), customer_id=whose, amount=part) for whose, part in parts
        ]
        await self.desk.h.deliver(kind(**who, **said, **more), aggregate_id=id)

    async def ask_ahead(self, total: int) -> UUID:
        """A prepayment invoice of so much, tax included."""
        id = uuid7()
        amounts = {"net": total * 10 // 11, "tax": total - total * 10 // 11}
        who = {"customer_id": self.id, "customer_name": "Ada Works", "currency": "EUR"}
        event = invoices.InvoiceIssued(
            invoice_id=id,
            kind="prepayment",
            **who,
            **amounts,
            taxes=[],
            lines=[],
            number=f"INV-{id}",
            dated=TODAY - timedelta(days=90),
            due_on=TODAY - timedelta(days=60),
            delivered_net=0,
            delivered_tax=0,
            effective_at=MADE_AT,
        )
        await self.desk.h.deliver(event, aggregate_id=id)
        return id

    async def credit(self, invoice_id: UUID, order: dict[str, Any], total: int) -> None:
        """A credit note takes so much of an invoice back."""
        amounts = {"net": total, "tax": 0}
        note = invoices.CreditNoteIssued(
            credit_note_id=uuid7(),
            number="CN-1",
            invoice_id=invoice_id,
            invoice_number="INV",
            customer_id=self.id,
            reason="broken",
            dated=TODAY,
            currency="EUR",
            **amounts,
            taxes=[],
            lines=[],
            orders=[invoices.OrderAmount(order_id=UUID(order["id"]), **amounts)],
            effective_at=MADE_AT,
        )
        await self.desk.h.deliver(note, aggregate_id=note.credit_note_id)

    async def stands(self) -> dict[str, Any]:
        return dict((await self.desk.h.client.get(f"/v1/orders/credit/{self.id}")).json())

    async def status(self, *orders: dict[str, Any]) -> list[str]:
        """Where these orders are, after everything that was to follow has."""
        await self.desk.h.make_timers_due()
        await self.desk.h.fire_timers()
        await self.desk.h.pump()
        return [(await self.desk.read(order))["status"] for order in orders]


async def rate(desk: Desk, currency: str, against: str, rate: str, day: date = TODAY - timedelta(days=1)) -> None:
    event = payments.RateSet(rate_id=uuid7(), currency=currency, against=against, day=day, rate=Decimal(rate))
    await desk.h.deliver(event, aggregate_id=event.rate_id)


async def submitted(desk: Desk) -> OrderCreditHeld:
    """The newest request for a release."""
    event = (await desk.asked("order.credit_held"))[-1]
    assert isinstance(event, OrderCreditHeld)
    return event


async def say(desk: Desk, kind: type[approvals.ApprovalEvent], to: OrderCreditHeld, **said: Any) -> None:
    """Workflow answers."""
    told = answer(kind, to.subject, **said)
    await desk.h.deliver(told, aggregate_id=told.approval_id)
    await desk.h.pump()
