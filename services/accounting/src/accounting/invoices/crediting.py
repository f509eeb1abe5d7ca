"""Taking an invoice back, in part or in whole: what was paid beyond the rest is the customer's credit again."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from accounting.days import dates, days
from accounting.invoices import policy
from accounting.invoices.bodies import NewCreditNote
from accounting.invoices.commands import ensure_roles, moment_of
from accounting.invoices.counting import check_credited
from accounting.invoices.credit import CreditNote, nets_of, taxes_of
from accounting.invoices.models import Invoice
from accounting.invoices.numbering import next_number
from accounting.invoices.prepayments import not_deducted, release
from accounting.invoices.refusals import TooMuchCredited
from accounting.invoices.taxing import levies
from accounting.payments.allocation import free
from tailrace.core.errors import Invalid
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx

Amounts = Mapping[UUID, tuple[int, int]]
"""By line of an invoice, net and tax."""


async def credit(tx: Tx, id: UUID, match: int | None, asked: NewCreditNote) -> CreditNote:
    """Raises InvoiceState, Invalid, Inexact, TooMuchCredited, OutOfOrder, RoleUnmapped."""
    invoice = await tx.load(Invoice, id, match)
    invoice.after("credited")
    first = invoice.counts_from
    assert first is not None
    await check_credited(tx, invoice, asked.lines)
    amounts, quantities = await _amounts(tx, invoice, asked)
    if not amounts or (not any(net + tax for net, tax in amounts.values()) and asked.lines):
        raise TooMuchCredited("Nothing is left to take back.")
    if asked.dated is not None:
        if asked.dated < first:
            raise Invalid.field("/dated", f"The invoice is of {first}: not before that.")
        today = await days.today(tx)
        earliest, _ = await dates.days(tx, "invoice", today, first, today)
        checked_day(asked.dated, max(first, earliest), today, "/dated")
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
