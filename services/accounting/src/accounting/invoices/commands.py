"""What is done with invoices: drafted, issued, credited. What that leads to in the books follows from the events that this records."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from accounting.books import hold, role_map
from accounting.days import dates, days
from accounting.invoices import policy, prepaying
from accounting.invoices.bodies import InvoiceTerms, IssueBody, NewInvoice, NewInvoiceLine
from accounting.invoices.buyers import Buyer, known_buyer
from accounting.invoices.copies import DeliveryCopy, OrderCopy
from accounting.invoices.counting import check_own
from accounting.invoices.drafting import (
    Billable,
    billable,
    delivered_lines,
    ensure_fits,
    numbered,
    of_customer,
    own_lines,
    uninvoiced,
)
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice, Issue
from accounting.invoices.numbering import next_number
from accounting.invoices.own_fields import checked_values, ensure_complete
from accounting.invoices.prepayments import deduct
from accounting.invoices.refusals import AlreadyInvoiced, InvoicePriceChanged
from accounting.invoices.taxing import rates_said, renew, tax
from accounting.invoices.timers import await_due
from contracts.accounting import AccountRole
from tailrace.core import clock
from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids
from tailrace.pricing.tax_codes import Rate

_BACK = timedelta(days=366)
_NO_VALUES: Mapping[str, bool | str] = {}
_NEEDED: Collection[AccountRole] = ("receivable", "unbilled_receivable", "revenue", "output_tax")
_NEEDED_AHEAD: Collection[AccountRole] = ("receivable", "prepayment", "output_tax")


async def create(tx: Tx, asked: NewInvoice) -> Invoice:
    """Draft an invoice. Raises Invalid, NotYetKnown, NothingToInvoice, AlreadyInvoiced, NotOneCustomer."""
    values = await checked_values(tx, asked.custom_fields)
    if asked.prepayment is not None:
        return await prepaying.draft(tx, asked, values)
    own = await _own_lines(tx, asked.lines, await days.today(tx))
    found = await _billable(tx, asked)
    if found is None:
        assert asked.customer_id is not None
        buyer = await known_buyer(tx, asked.customer_id)
        return await _drafted(tx, buyer, asked.currency or buyer.currency, asked, own, values=values)
    lines = [*delivered_lines(found, await days.calendar(tx)), *own]
    source = _source(asked)
    asked = asked.model_copy(update={"payment_terms_days": found.days_to_pay(asked.payment_terms_days)})
    invoice = await _drafted(tx, found.buyer, found.currency, asked, lines, found.reference, values, source)
    try:
        # Another invoice may have taken it while this one was made; the index alone knows of that, and not by which field.
        await tx.flush()
    except AlreadyInvoiced:
        raise AlreadyInvoiced("Some of it is invoiced already.", field=source) from None
    return invoice


async def draft(tx: Tx, deliveries: Collection[DeliveryCopy]) -> Invoice:
    """Draft an invoice of these shipments alone. Raises OrderNotYetKnown, NotOneCustomer, Invalid for orders of several terms."""
    found = await billable(tx, deliveries)
    lines = delivered_lines(found, await days.calendar(tx))
    asked = InvoiceTerms(payment_terms_days=found.days_to_pay())
    return await _drafted(tx, found.buyer, found.currency, asked, lines, found.reference)


async def draft_own(tx: Tx, like: Invoice, asked: NewInvoiceLine, rate: Rate) -> Invoice:
    """Draft an invoice of a line of its own for whom another one is for, due at once."""
    buyer = Buyer(like.customer_id, like.customer, 0, like.currency)
    return await _drafted(tx, buyer, like.currency, InvoiceTerms(payment_terms_days=0), own_lines([asked], [rate]))


async def draft_line(tx: Tx, buyer: Buyer, currency: str, asked: NewInvoiceLine, rate: Rate) -> Invoice:
    """Draft an invoice of a line of its own for somebody, due as was agreed with them."""
    terms = InvoiceTerms(payment_terms_days=buyer.payment_terms_days)
    return await _drafted(tx, buyer, currency, terms, own_lines([asked], [rate]))


async def replace(tx: Tx, id: UUID, match: int | None, asked: InvoiceTerms) -> Invoice:
    """Say other terms of a draft, and what it sells itself. Raises InvoiceState, Invalid."""
    invoice = await tx.load(Invoice, id, match)
    invoice.after("changed")
    said = asked.model_dump(include={"payment_terms_days", "customer_reference", "notes"})
    terms = {**said, "custom_fields": await checked_values(tx, asked.custom_fields)}
    if invoice.kind == "prepayment":
        if asked.lines:
            raise Invalid.field("/lines", "A prepayment has no lines but those of its order's rates.")
        invoice.change(terms, list(invoice.lines))
        return invoice
    delivered = [line for line in invoice.lines if line.supplied]
    today = await days.today(tx)
    lines = [*delivered, *await _own_lines(tx, asked.lines, today)]
    if not lines:
        raise Invalid.field("/lines", "An invoice has a line.")
    await tax(tx, lines, today)
    ensure_fits(lines, "/lines")
    invoice.change(terms, numbered(lines))
    return invoice


async def _own_lines(tx: Tx, asked: Sequence[NewInvoiceLine], on: date) -> list[InvoiceLine]:
    """What a person says that the invoice itself sells. Raises Inexact, and Invalid that names the field."""
    await check_own(tx, asked)
    return own_lines(asked, await rates_said(tx, asked, on))


async def shrink(tx: Tx, invoice: Invoice) -> None:
    """Tax what is left of a draft from which something was taken off; one of nothing is dropped."""
    lines = [each for each in invoice.lines if each.quantity > 0]
    if not lines:
        invoice.delete()
        return
    await tax(tx, lines, await days.today(tx))
    invoice.change({}, numbered(lines))


async def delete(tx: Tx, id: UUID, match: int | None) -> None:
    """Drop a draft. Raises InvoiceState."""
    (await tx.load(Invoice, id, match)).delete()


async def issue(tx: Tx, id: UUID, match: int | None, asked: IssueBody | None = None) -> Invoice:
    """Let an invoice bind, under the next number. `asked` is what a person says, and None where it is issued by itself.

    A person is asked for what the company's template wants of it, and agrees to rates that have changed since it was drafted.
    Raises InvoiceState, Invalid, InvoicePriceChanged, OutOfOrder, RoleUnmapped, NotYetKnown, Implausible.
    """
    invoice = await tx.load(Invoice, id, match)
    invoice.after("issued")
    if asked is not None:
        await ensure_complete(tx, invoice)
    today, dated = await days.today(tx), None if asked is None else asked.dated
    day = dated or today
    earliest, _ = await dates.days(tx, "invoice", today, today - _BACK, today)
    checked_day(day, earliest, today, "/dated")
    changes: Sequence[FieldProblem] = ()
    await ensure_roles(tx, day, _NEEDED if invoice.kind == "invoice" else _NEEDED_AHEAD)
    if invoice.kind == "prepayment":
        await prepaying.ensure_wanted(tx, invoice)
    if dated is not None and invoice.supplied_until is not None and dated < invoice.supplied_until:
        raise Invalid.field("/dated", f"Some of it was supplied on {invoice.supplied_until}: not before that.")
    if invoice.kind == "invoice":
        # The law of its day says what it is taxed at, and how that is rounded, whenever it was drafted.
        changes = await renew(tx, invoice, day) if asked is not None else []
        await tax(tx, invoice.lines, day)
        ensure_fits(invoice.lines, "/dated")
        invoice.add_up()
    if asked is not None and ((changes and not asked.reprice) or asked.expected_total not in {None, invoice.total}):
        raise InvoicePriceChanged(invoice.net, invoice.tax, changes, expected=asked.expected_total)
    seller = await policy.seller(tx)
    invoice.taxed_when_received = await policy.taxes_receipts(tx)
    prepaid_tax = await deduct(tx, invoice)
    if invoice.prepaid:
        await ensure_roles(tx, day, _NEEDED_AHEAD)
    number, day = await next_number(tx, "invoice", day, said=dated is not None)
    due_on = day + timedelta(days=invoice.payment_terms_days)
    invoice.issue(Issue(number, day, due_on, await moment_of(tx, day), seller, prepaid_tax))
    await await_due(tx, invoice)
    return invoice


async def moment_of(tx: Tx, day: date) -> datetime:
    """When something of a day takes effect: now, or at the end of an earlier day."""
    now = clock.now()
    return min(now, await days.end_of(tx, day))


async def ensure_roles(tx: Tx, day: date, roles: Collection[AccountRole]) -> None:
    """Raises RoleUnmapped when a role that is going to be posted to has no account."""
    known = await role_map(tx)
    if not known.steps:
        await hold(tx)
        known = await role_map(tx)
    for role in roles:
        known.account(role, day)


async def _billable(tx: Tx, asked: NewInvoice) -> Billable | None:
    """The shipments and performances that are asked for; None when it is lines alone."""
    if asked.shipment_ids:
        known = await by_ids(tx, DeliveryCopy, asked.shipment_ids)
        wanted = [known.known(id, f"/shipment_ids/{at}") for at, id in enumerate(asked.shipment_ids)]
        if len({each.id for each in wanted}) < len(wanted):
            raise Invalid.field("/shipment_ids", "One of them is named twice.")
        free = {each.id for each in await uninvoiced(tx, DeliveryCopy.id.in_(asked.shipment_ids))}
        for at, each in enumerate(wanted):
            if each.id not in free:
                raise AlreadyInvoiced(f"{each.number} is invoiced already.", field=f"/shipment_ids/{at}")
        return await billable(tx, wanted)
    if asked.order_id is not None:
        (await by_ids(tx, OrderCopy, [asked.order_id])).known(asked.order_id, "/order_id")
        return await billable(tx, await uninvoiced(tx, DeliveryCopy.order_id == asked.order_id, until=asked.until))
    assert asked.customer_id is not None
    buyer = await known_buyer(tx, asked.customer_id)
    assert buyer.customer_id is not None
    theirs = await of_customer(tx, buyer.customer_id)
    currency = asked.currency or buyer.currency
    found = await uninvoiced(tx, theirs, DeliveryCopy.currency == currency, until=asked.until)
    if not found and asked.lines:
        return None
    return await billable(tx, found)


def _source(asked: NewInvoice) -> str:
    """The field that what has left is named by."""
    if asked.shipment_ids:
        return "/shipment_ids"
    return "/customer_id" if asked.order_id is None else "/order_id"


async def _drafted(
    tx: Tx,
    buyer: Buyer,
    currency: str,
    asked: NewInvoice | InvoiceTerms,
    lines: list[InvoiceLine],
    reference: str | None = None,
    values: Mapping[str, bool | str] = _NO_VALUES,
    source: str = "/lines",
) -> Invoice:
    """`source` is the field that the lines follow from. Raises Invalid for a total that is too large."""
    supplied = [line.supplied_on for line in lines if line.supplied_on is not None]
    terms = {
        "customer_id": buyer.customer_id,
        "customer": dict(buyer.paper),
        "currency": currency,
        "payment_terms_days": buyer.payment_terms_days
        if asked.payment_terms_days is None
        else asked.payment_terms_days,
        "customer_reference": asked.customer_reference or reference,
        "notes": asked.notes,
        "custom_fields": dict(values),
        "supplied_from": min(supplied, default=None),
        "supplied_until": max(supplied, default=None),
    }
    await tax(tx, lines, await days.today(tx))
    ensure_fits(lines, source)
    invoice = Invoice.drafted(terms, numbered(lines))
    tx.add(invoice)
    return invoice
