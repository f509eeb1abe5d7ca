"""Taking an invoice back, in part or in whole: what was paid beyond the rest is the customer's credit again."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from accounting.days import days
from accounting.invoices import policy
from accounting.invoices.bodies import CreditLine, NewCreditNote
from accounting.invoices.commands import ensure_roles, moment_of
from accounting.invoices.copies import OrderCopy
from accounting.invoices.credit import CreditNote, nets_of, taxes_of
from accounting.invoices.models import Invoice
from accounting.invoices.numbering import next_number
from accounting.invoices.prepayments import not_deducted, release
from accounting.invoices.refusals import TooMuchCredited
from accounting.invoices.taxing import levies
from accounting.payments.allocation import free
from tailrace.core.errors import Invalid
from tailrace.core.plausible import checked_day
from tailrace.core.units import check_decimals
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids

Amounts = Mapping[UUID, tuple[int, int]]
"""By line of an invoice, net and tax."""


async def credit(tx: Tx, id: UUID, match: int | None, asked: NewCreditNote) -> CreditNote:
    """Raises InvoiceState, Invalid, Inexact, TooMuchCredited, OutOfOrder, RoleUnmapped."""
    invoice = await tx.load(Invoice, id, match)
    invoice.after("credited")
    first = invoice.counts_from
    assert first is not None
    await _check_units(tx, invoice, asked.lines)
    amounts, quantities = await _amounts(tx, invoice, asked)
    if not amounts or (not any(net + tax for net, tax in amounts.values()) and asked.lines):
        raise TooMuchCredited("Nothing is left to take back.")
    if asked.dated is not None:
        if asked.dated < first:
            raise Invalid.field("/dated", f"The invoice is of {first}: not before that.")
        checked_day(asked.dated, first, await days.today(tx), "/dated")
    return await take_back(tx, invoice, amounts, quantities, asked.reason, asked.dated)


async def take_back(
    tx: Tx,
    invoice: Invoice,
    amounts: Amounts,
    quantities: Mapping[UUID, Decimal],
    reason: str,
    said: date | None = None,
) -> CreditNote:
    """Credit amounts of the lines of an invoice that is locked; `quantities` come back. Raises OutOfOrder for a day that is `said`, RoleUnmapped."""
    assert invoice.counts_from is not None
    day = said or max(await days.today(tx), invoice.counts_from)
    total = sum(net + tax for net, tax in amounts.values())
    await ensure_roles(tx, day, ("receivable", "revenue", "output_tax", "customer_credit"))
    beyond = max(total - invoice.open, 0)
    freed = min(beyond, invoice.paid)
    await free(tx, invoice, freed, day, f"Credit note: {reason}")
    released = beyond - freed
    released_tax = await release(tx, invoice, released, day)
    seller = await policy.seller(tx)
    number, day = await next_number(tx, "credit_note", day, said=said is not None)
    at = await moment_of(tx, day)
    terms = {"number": number, "dated": day, "reason": reason, "seller": seller}
    note = CreditNote.issued(invoice, amounts, quantities, terms, at, (released - released_tax, released_tax))
    for line in invoice.lines:
        if line.id in quantities:
            line.credited_quantity += quantities[line.id]
    invoice.credit(amounts, day)
    tx.add(note)
    return note


async def with_tax(tx: Tx, invoice: Invoice, nets: Mapping[UUID, int]) -> Amounts:
    """Net amounts of lines, each with its part of the tax that the invoice asks for, rounded as on its day."""
    assert invoice.dated is not None
    rates = {(line.tax_rate, line.tax_code) for line in invoice.lines}
    taxes = taxes_of(invoice, nets, await levies(tx, rates, invoice.dated))
    return {line_id: (net, taxes[line_id]) for line_id, net in nets.items()}


async def _amounts(tx: Tx, invoice: Invoice, asked: NewCreditNote) -> tuple[Amounts, Mapping[UUID, Decimal]]:
    """By line, net and tax that are taken back, and the quantity where it comes back. Raises Invalid, TooMuchCredited."""
    if invoice.kind == "prepayment":
        if asked.lines:
            raise Invalid.field("/lines", "Of a prepayment, all that no invoice has deducted is taken back.")
        return not_deducted(invoice), {}
    nets, quantities = nets_of(invoice, asked.lines)
    return await with_tax(tx, invoice, nets), quantities


async def _check_units(tx: Tx, invoice: Invoice, asked: Sequence[CreditLine]) -> None:
    """What comes back can be counted in its unit, as it was when it was ordered. Raises Inexact, which names the line."""
    lines = {line.id: line for line in invoice.lines}
    orders = await by_ids(tx, OrderCopy, {line.order_id for line in invoice.lines if line.order_id is not None})
    decimals = {each["line_id"]: each.get("decimals", 6) for order in orders.values() for each in order.lines}
    for at, each in enumerate(asked):
        line = lines.get(each.line_id)
        if each.quantity is not None and line is not None and line.order_line_id is not None:
            finest = decimals.get(str(line.order_line_id), 6)
            check_decimals(each.quantity, line.unit or line.name, finest, f"/lines/{at}/quantity")
