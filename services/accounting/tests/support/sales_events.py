"""Events of invoices and payments, as they reach the books."""

from datetime import date
from typing import Any

from accounting_events import JANUARY

from contracts import invoices, payments, refunds
from contracts.return_settlements import ReturnSettled
from tailrace.core.ids import uuid7

DAY = date(2026, 1, 15)


def invoice_issued(net: int, tax: int, *, delivered: tuple[int, int] = (0, 0), **given: Any) -> invoices.InvoiceIssued:
    return invoices.InvoiceIssued(
        invoice_id=uuid7(),
        customer_name="Ada Works",
        currency="EUR",
        net=net,
        tax=tax,
        taxes=[],
        lines=[],
        number="INV-2026-00001",
        dated=DAY,
        due_on=DAY,
        delivered_net=delivered[0],
        delivered_tax=delivered[1],
        effective_at=JANUARY,
        **given,
    )


def credit_note(net: int, tax: int, **given: Any) -> invoices.CreditNoteIssued:
    return invoices.CreditNoteIssued(
        credit_note_id=uuid7(),
        number="CN-2026-00001",
        invoice_id=uuid7(),
        invoice_number="INV-2026-00001",
        reason="broken",
        dated=DAY,
        currency="EUR",
        net=net,
        tax=tax,
        taxes=[],
        lines=[],
        effective_at=JANUARY,
        **given,
    )


def _about(customer: bool) -> dict[str, Any]:
    return {"payment_id": uuid7(), "customer_id": uuid7() if customer else None, "effective_at": JANUARY}


def paid(amount: int, *, customer: bool) -> payments.PaymentReceived:
    where: dict[str, Any] = {"bank_account_id": uuid7(), "account": "1000", "value_day": DAY}
    return payments.PaymentReceived(number="P-1", currency="EUR", amount=amount, **where, **_about(customer))


def payment_assigned(amount: int) -> payments.PaymentAssigned:
    return payments.PaymentAssigned(currency="EUR", amount=amount, day=DAY, **_about(True))


def payment_reversed(amount: int, *, customer: bool) -> payments.PaymentReversed:
    said: dict[str, Any] = {"account": "1000", "currency": "EUR", "reason": "returned", "day": DAY}
    return payments.PaymentReversed(amount=amount, **said, **_about(customer))


def allocated(amount: int, **given: Any) -> payments.PaymentAllocated:
    return payments.PaymentAllocated(**_allocation(amount, **given))


def unallocated(amount: int, **given: Any) -> payments.PaymentUnallocated:
    return payments.PaymentUnallocated(reason="another invoice", **_allocation(amount, **given))


def _allocation(
    amount: int,
    *,
    settled: int | None = None,
    worth: int | None = None,
    currencies: tuple[str, str] = ("EUR", "EUR"),
    realised: int = 0,
    customer: bool = True,
    tax_due: int = 0,
) -> dict[str, Any]:
    own, theirs = currencies
    return {
        "allocation_id": uuid7(),
        "invoice_id": uuid7(),
        "invoice_number": "INV-2026-00001",
        "currency": own,
        "amount": amount,
        "invoice_currency": theirs,
        "settled": amount if settled is None else settled,
        "worth": amount if worth is None else worth,
        "company_currency": "EUR" if realised else None,
        "realised": realised,
        "tax_due": tax_due,
        "day": DAY,
        **_about(customer),
    }


def refund(kind: type[refunds.RefundMoved], amount: int, *, customer: bool = True) -> refunds.RefundMoved:
    said: dict[str, Any] = {"number": "R-1", "account": "1000", "currency": "EUR", "reason": "too much", "day": DAY}
    more: dict[str, Any] = {"bank_account_id": uuid7(), "parts": []} if kind is refunds.RefundPaid else {}
    who = {"refund_id": uuid7(), "customer_id": uuid7() if customer else None, "effective_at": JANUARY}
    return kind(amount=amount, **said, **more, **who)


def revalued(kind: type[payments.RevaluationEvent], difference: int) -> payments.RevaluationEvent:
    more: dict[str, Any] = {"lines": []} if kind is payments.RevaluationPosted else {}
    said: dict[str, Any] = {"day": DAY, "currency": "EUR", "effective_at": JANUARY, **more}
    return kind(revaluation_id=uuid7(), difference=difference, **said)


def return_settled(net: int, tax: int) -> ReturnSettled:
    """Goods came back that were sold for so much, and were on no invoice."""
    return ReturnSettled(
        return_settlement_id=uuid7(),
        return_id=uuid7(),
        return_number="RT-000001",
        order_id=uuid7(),
        currency="EUR",
        unbilled_net=net,
        unbilled_tax=tax,
        credited_net=net,
        credited_tax=tax,
        effective_at=JANUARY,
    )
