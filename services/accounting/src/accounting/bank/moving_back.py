"""Lines by which money moved back: a refund that went out, or came in again; a payment that the bank took back.

A refund is on one line when it goes out, and on one when it comes in again. What a line may be is suggested like what invoices it may be for.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, any_, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from accounting.bank.bodies import BankLineConfirmation, LineRefundBody
from accounting.bank.matching import SCORES, Reason, alike
from accounting.bank.models import BankLine
from accounting.bank.refusals import LineState
from accounting.invoices.copies import CustomerCopy
from accounting.invoices.models import Invoice
from accounting.naming import names, squeezed
from accounting.payments.commands import take_back
from accounting.payments.models import Allocation, Payment
from accounting.refunds.bodies import NewRefund
from accounting.refunds.commands import come_back, create
from accounting.refunds.models import Refund
from accounting.refusals import ApprovalNeeded
from tailrace.core.context import Principal
from tailrace.core.errors import Invalid, Unknown
from tailrace.core.values.text import shortened
from tailrace.db.database import Tx

Kind = Literal["refund", "returned_refund", "returned_payment"]
AnyMoved = TypeVar("AnyMoved", Refund, Payment)
_MOST, _LONGEST_NAME = 10, 200


@dataclass(frozen=True, slots=True)
class MovedBack:
    """What a line may be; `score` of 100, and why."""

    kind: Kind
    id: UUID
    number: str
    customer_id: UUID | None
    score: int
    reasons: Sequence[Reason]


async def confirm(tx: Tx, who: Principal, line: BankLine, asked: BankLineConfirmation) -> bool:
    """Do what was said of money that moved back; whether anything was. Raises LineState, Invalid, and what is refused of refunds and payments."""
    if asked.refund_id is not None:
        _ensure_went(line, out=True)
        refund = await _refund(tx, asked.refund_id, "/refund_id")
        await _ensure_alone(tx, refund, line)
        if refund.status not in ("paid", "returned"):
            raise LineState(f"Refund {refund.number} was not paid.")
        _ensure_equal(line, refund.amount, refund.bank_account_id, refund.number)
        line.match(refund_id=refund.id)
    elif asked.returned_refund_id is not None:
        _ensure_went(line, out=False)
        refund = await _refund(tx, asked.returned_refund_id, "/returned_refund_id")
        await _ensure_alone(tx, refund, line)
        _ensure_equal(line, refund.amount, refund.bank_account_id, refund.number)
        if refund.status != "returned":
            await come_back(tx, refund, line.value_day, f"Line {line.name}")
        line.match(refund_id=refund.id)
    elif asked.returned_payment_id is not None:
        _ensure_went(line, out=True)
        payment = await _payment(tx, asked.returned_payment_id)
        _ensure_equal(line, payment.amount, payment.bank_account_id, payment.number)
        await _taken_back(tx, line, payment)
    elif asked.refund is not None:
        _ensure_went(line, out=True)
        line.match(refund_id=(await _entered(tx, who, line, asked.refund)).id)
    else:
        return False
    return True


async def suggest(tx: Tx, line: BankLine) -> list[MovedBack]:
    """Refunds of that amount which no line has, and payments that the bank may have taken back; the likeliest first."""
    found = [*await _refunds(tx, line), *(await _payments(tx, line) if line.amount < 0 else [])]
    return sorted(found, key=lambda each: (-each.score, each.number))[:_MOST]


async def confirm_certain(tx: Tx, line: BankLine) -> None:
    """Match an outgoing line with the refund that it names, where it is one alone that has its amount and no other line."""
    found = [each for each in await _refunds(tx, line) if "reference" in each.reasons]
    if len(found) == 1:
        refund = await tx.load(Refund, found[0].id)
        if not await _has_line(tx, refund, line):
            line.match(refund_id=refund.id)


async def _refunds(tx: Tx, line: BankLine) -> list[MovedBack]:
    taken = exists().where(BankLine.refund_id == Refund.id, BankLine.amount == line.amount)
    customer = select(CustomerCopy.name).where(CustomerCopy.id == Refund.customer_id).scalar_subquery()
    name = func.coalesce(Refund.payee_name, customer)
    held = (
        Refund.bank_account_id == line.bank_account_id,
        Refund.amount == abs(line.amount),
        Refund.status.in_(("paid", "returned")),
        ~taken,
    )
    kind: Kind = "refund" if line.amount < 0 else "returned_refund"
    return [
        _scored(kind, line, each.id, each.number, each.customer_id, [each.number], called)
        for each, called in await _likeliest(tx, line, Refund, name, _has(line, Refund.number), held)
    ]


async def _payments(tx: Tx, line: BankLine) -> list[MovedBack]:
    held = (
        Payment.bank_account_id == line.bank_account_id,
        Payment.amount == -line.amount,
        Payment.refunded == 0,
        Payment.status == "received",
        Payment.value_day <= line.value_day,
    )
    of_invoice = _holds(line, Invoice.number_key)
    for_invoice = exists().where(Allocation.payment_id == Payment.id, Allocation.invoice_id == Invoice.id, of_invoice)
    named = or_(_has(line, Payment.number), for_invoice)
    found = []
    for each, called in await _likeliest(tx, line, Payment, Payment.payer_name, named, held):
        numbers = [each.number, *(one.invoice_number for one in each.allocations)]
        found.append(_scored("returned_payment", line, each.id, each.number, each.customer_id, numbers, called))
    return found


async def _likeliest(
    tx: Tx,
    line: BankLine,
    kind: type[AnyMoved],
    name: SQLColumnExpression[Any],
    named: ColumnElement[bool],
    held: Sequence[ColumnElement[bool]],
) -> list[tuple[AnyMoved, str | None]]:
    """Of all that the line may be, each with whose it is: what it names, and the first of those whose name it has and of all others.

    Nothing else is among the likeliest, however many have its amount.
    """
    called: list[str] = []
    if line.payer_name:
        known: list[str] = list(await tx.scalars(select(name).where(*held, name.is_not(None)).distinct()))
        # A tenth of a millisecond each, and there may be tens of thousands: others go on meanwhile.
        called = await asyncio.to_thread(lambda: [each for each in known if alike(line.payer_name or "", each)])
    everything = select(kind, name).where(*held).order_by(kind.number.collate("C"))
    alike_ones = everything.where(name == any_(literal(called, ARRAY(Text)))).limit(_MOST)
    found: dict[UUID, tuple[AnyMoved, str | None]] = {}
    for query in (everything.where(named), alike_ones, everything.limit(_MOST)):
        found |= {each.id: (each, whose) for each, whose in await tx.execute(query)}
    return list(found.values())


def _has(line: BankLine, number: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether the line has a number that this service made, by its letters and digits alone."""
    return _holds(line, func.lower(func.regexp_replace(number, "[^A-Za-z0-9]", "", "g")))


def _holds(line: BankLine, key: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    return func.strpos(squeezed(line.reference or ""), key) > 0


def _scored(
    kind: Kind,
    line: BankLine,
    id: UUID,
    number: str,
    customer_id: UUID | None,
    numbers: Sequence[str],
    name: str | None,
) -> MovedBack:
    reasons: list[Reason] = ["amount"]
    if any(names(line.reference or "", each) for each in numbers):
        reasons.insert(0, "reference")
    if name and line.payer_name and alike(line.payer_name, name):
        reasons.append("name")
    return MovedBack(kind, id, number, customer_id, sum(SCORES[each] for each in reasons), reasons)


async def _entered(tx: Tx, who: Principal, line: BankLine, asked: LineRefundBody) -> Refund:
    """Raises ApprovalNeeded for what should have waited."""
    body = NewRefund(
        bank_account_id=line.bank_account_id,
        customer_id=asked.customer_id,
        amount=-line.amount if asked.customer_id is not None else None,
        payments=asked.payments,
        reason=asked.reason,
        payee_name=shortened(line.payer_name or "", _LONGEST_NAME) or None,
        payee_iban=line.payer_iban
        if line.payer_iban and re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}", line.payer_iban)
        else None,
        value_day=line.value_day,
    )
    refund = await create(tx, who, body)
    if refund.status != "paid":
        raise ApprovalNeeded("It is above the limit: enter it as a refund, and confirm the line when that is approved.")
    _ensure_equal(line, refund.amount, refund.bank_account_id, refund.number)
    return refund


async def _taken_back(tx: Tx, line: BankLine, payment: Payment) -> None:
    taken = exists().where(BankLine.payment_id == payment.id, BankLine.amount < 0)
    if await tx.scalar(select(taken)):
        raise LineState(f"Another line is the return of payment {payment.number}.")
    if payment.status == "received":
        await take_back(tx, payment, line.value_day, f"Line {line.name}")
    line.match(payment_id=payment.id)


async def _refund(tx: Tx, id: UUID, field: str) -> Refund:
    try:
        return await tx.load(Refund, id)
    except Unknown as error:
        raise Invalid.field(field, f"There is no refund {id}.") from error


async def _payment(tx: Tx, id: UUID) -> Payment:
    try:
        return await tx.load(Payment, id)
    except Unknown as error:
        raise Invalid.field("/returned_payment_id", f"There is no payment {id}.") from error


async def _ensure_alone(tx: Tx, refund: Refund, line: BankLine) -> None:
    """Raises LineState when another line has it, in the same direction. The refund is locked."""
    if await _has_line(tx, refund, line):
        raise LineState(f"Another line is refund {refund.number}.")


async def _has_line(tx: Tx, refund: Refund, line: BankLine) -> bool:
    taken = exists().where(BankLine.refund_id == refund.id, BankLine.amount == line.amount)
    return bool(await tx.scalar(select(taken)))


def _ensure_went(line: BankLine, *, out: bool) -> None:
    line.after("matched")
    if (line.amount < 0) != out:
        raise LineState(f"Line {line.name} is no money that {'went out' if out else 'came in'}.")


def _ensure_equal(line: BankLine, amount: int, bank_account_id: UUID, number: str) -> None:
    if abs(line.amount) != amount or line.bank_account_id != bank_account_id:
        raise LineState(f"Line {line.name} has another amount than {number}, or is on another account.")
