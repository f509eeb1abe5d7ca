"""Reminding: one letter for all that somebody owes in one currency and that has reached a new level."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select, tuple_

from accounting.days import days
from accounting.dunning.bodies import DunningLevel, DunningPolicyBody
from accounting.dunning.models import DunningNotice, DunningPolicy
from accounting.dunning.refusals import NothingToRemind
from accounting.invoices import commands, policy
from accounting.invoices.bodies import NewInvoiceLine
from accounting.invoices.buyers import followed, standing_for
from accounting.invoices.copies import OrderCopy
from accounting.invoices.models import UNPAID, Invoice
from accounting.invoices.taxing import UNTAXED
from tailrace.core.ids import derived_id, uuid7
from tailrace.core.values.money import LARGEST_AMOUNT, exponent
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("dunning_notice", "D-{series}-{number:05}")
MOST_INVOICES = 200
_ROW = {"en": "Invoice of {dated}, due on {due_on}", "ja": "{dated} 付の請求書（支払期限 {due_on}）"}
_FEE = {"en": "Reminder fee", "ja": "督促手数料"}


async def policy_of(tx: Tx) -> DunningPolicyBody:
    """The tenant's; nobody is reminded as long as nobody has said anything."""
    kept = await tx.get(DunningPolicy, (tx.tenant_id, _policy_id(tx)))
    return DunningPolicyBody() if kept is None else DunningPolicyBody.model_validate(kept, from_attributes=True)


async def set_policy(tx: Tx, said: DunningPolicyBody) -> DunningPolicyBody:
    """Replace all of it. Levels that were reached stay reached."""
    id = _policy_id(tx)
    kept = await tx.get(DunningPolicy, (tx.tenant_id, id))
    if kept is None:
        kept = DunningPolicy(id=id)
        tx.add(kept)
    else:
        kept = await tx.load(DunningPolicy, id)
    kept.decide(said.automatic, [level.model_dump(mode="json") for level in said.levels])
    return said


def reached(levels: Sequence[DunningLevel], due_on: date, day: date) -> int:
    """The highest level that an invoice has reached on a day, from 1; 0 for none."""
    return max((at for at, level in enumerate(levels, 1) if day >= due_on + timedelta(days=level.days)), default=0)


def eligible(levels: Sequence[DunningLevel], day: date) -> ColumnElement[bool]:
    """Whether an invoice has reached a level that it was not reminded at. Nobody is reminded to pay ahead for what was cancelled."""
    at_level = [
        and_(Invoice.due_on <= day - timedelta(days=level.days), Invoice.dunning_level < at)
        for at, level in enumerate(levels, 1)
    ]
    over = exists().where(OrderCopy.id == Invoice.order_id, ~OrderCopy.active)
    return and_(Invoice.status.in_(UNPAID), or_(*at_level), ~over) if levels else Invoice.id.is_(None)


async def next_invoice(tx: Tx, day: date, behind: tuple[date, UUID] | None = None) -> Invoice | None:
    """The longest due that somebody is to be reminded of, behind one that was due on a day; None when there is none."""
    levels = (await policy_of(tx)).levels
    query = select(Invoice).where(eligible(levels, day)).order_by(Invoice.due_on, Invoice.id).limit(1)
    if behind is not None:
        query = query.where(tuple_(Invoice.due_on, Invoice.id) > behind)
    return (await tx.scalars(query)).one_or_none()


async def remind(tx: Tx, invoice_id: UUID, day: date | None = None) -> DunningNotice:
    """Remind the customer of an invoice of it, and of all else that has reached a new level in its currency. Raises Unknown, NothingToRemind."""
    first = await tx.find(Invoice, invoice_id)
    today = day or await days.today(tx)
    levels = (await policy_of(tx)).levels
    customer_id = None if first.customer_id is None else await followed(tx, first.customer_id)
    theirs = Invoice.id == first.id
    if customer_id is not None:
        theirs = Invoice.customer_id.in_(await standing_for(tx, customer_id))
    query = select(Invoice.id).where(eligible(levels, today), theirs, Invoice.currency == first.currency)
    found = [await tx.load(Invoice, id) for id in await tx.scalars(query.order_by(Invoice.id).limit(MOST_INVOICES))]
    # Locked now: somebody may have paid or reminded meanwhile.
    due = [(each, reached(levels, each.due_on, today)) for each in found if each.due_on and each.status in UNPAID]
    due = [(each, level) for each, level in due if level > each.dunning_level]
    if not due:
        raise NothingToRemind(f"Nothing that the customer of invoice {first.name} owes has reached a new level.")
    due = _fitting(due)
    level = max(level for _, level in due)
    rule = levels[level - 1]
    notice = DunningNotice(
        id=uuid7(),
        customer_id=customer_id,
        customer=first.customer,
        seller=await policy.seller(tx),
        dated=today,
        level=level,
        currency=first.currency,
        items=[_item(each, level) for each, level in due],
        open=sum(each.open for each, _ in due),
        fee=rule.fee if rule.fee_currency == first.currency else 0,
        fee_invoice_id=None,
        text=rule.text,
        number=await NUMBERS.next(tx, str(today.year)),
    )
    for each, at in due:
        each.remind(at, notice.id)
    if notice.fee:
        notice.fee_invoice_id = await _charge(tx, first, notice)
    notice.issue()
    tx.add(notice)
    return notice


def _fitting(due: list[tuple[Invoice, int]]) -> list[tuple[Invoice, int]]:
    """The first of these, as many as come to no more than a document holds; the others are for the next reminder."""
    totals = accumulate(invoice.open for invoice, _ in due)
    return [each for each, total in zip(due, totals, strict=True) if total <= LARGEST_AMOUNT]


async def _charge(tx: Tx, of: Invoice, notice: DunningNotice) -> UUID:
    """Ask for the fee by an invoice of its own, due at once; it is not taxed, since it makes good a damage."""
    language = str(of.customer["language"])
    line = NewInvoiceLine.model_validate(
        {"name": f"{_FEE[language]} {notice.number}", "quantity": "1", "unit_price": str(notice.fee)}
    )
    invoice = await commands.draft_own(tx, of, line, UNTAXED)
    return (await commands.issue(tx, invoice.id, None)).id


def _item(invoice: Invoice, level: int) -> dict[str, Any]:
    assert invoice.dated is not None and invoice.due_on is not None
    return {
        "invoice_id": str(invoice.id),
        "number": invoice.name,
        "dated": invoice.dated.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "open": invoice.open,
        "level": level,
    }


def notice_document(notice: DunningNotice) -> Mapping[str, Any]:
    """What a reminder says: each invoice with what is open of it, and the fee."""
    language = str(notice.customer["language"])
    rows = [(each["number"], _ROW[language].format(**each), each["open"]) for each in notice.items]
    if notice.fee:
        rows.append(("", _FEE[language], notice.fee))
    return {
        "kind": "reminder",
        "language": language,
        "number": notice.number,
        "date": notice.dated.isoformat(),
        "currency": notice.currency,
        "digits": exponent(notice.currency),
        "seller": {**{name: notice.seller[name] for name in ("name", "lines", "tax_id")}, "contact": None},
        "customer": {**{name: notice.customer[name] for name in ("name", "lines", "tax_id")}, "contact": None},
        "lines": [
            {"position": at, "code": code, "name": name, "quantity": "1", "unit": "", "unit_price": amount}
            | {"net": amount, "tax_code": "", "tax_rate": "0"}
            for at, (code, name, amount) in enumerate(rows, 1)
        ],
        "net": notice.total,
        "tax": 0,
        "gross": notice.total,
        "terms": notice.seller.get("payment_instructions") or None,
        "notes": notice.text,
    }


def _policy_id(tx: Tx) -> UUID:
    return derived_id(tx.tenant_id, "dunning_policy")
