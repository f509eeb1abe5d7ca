"""Invoices and credit notes over HTTP, and how the company invoices."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from accounting.days import dates, days
from accounting.invoices import commands, crediting, opening, policy, ubl
from accounting.invoices.bodies import (
    BillingPolicyBody,
    BillingTermsBody,
    InvoiceTerms,
    IssueBody,
    NewCreditNote,
    NewInvoice,
    NewOpenInvoice,
)
from accounting.invoices.copies import settings
from accounting.invoices.credit import CreditNote
from accounting.invoices.document import credit_note_document, invoice_document, paper
from accounting.invoices.models import Invoice, Kind, Status, of_order
from accounting.invoices.projections import companies, customers, deliveries, orders, sellers, taxes, templates, units
from accounting.invoices.views import (
    BillingPolicyView,
    BillingTermsView,
    CreditNoteSummary,
    CreditNoteView,
    InvoiceSummary,
    InvoiceView,
)
from accounting.payments.accounts import iban_for
from accounting.reactions import books
from accounting.scopes import InvoiceReader, InvoiceWriter, TakesOver, Writer
from tailrace.http.etag import IfMatch
from tailrace.http.files.paper import Paper
from tailrace.http.lists.filters import any_of, between, by_id, equal, numbered, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

_READS = [books, customers, orders, deliveries, sellers, companies, taxes, units, templates, days, dates]
router = tenant_router(
    "/v1/accounting/invoices",
    tag="invoices",
    about="Sales invoices: what has left and is asked to be paid for, and how much of that was paid.",
    reads=_READS,
)
notes_router = tenant_router(
    "/v1/accounting/credit-notes", tag="credit notes", about="What of invoices was taken back, and why.", reads=_READS
)
opening_router = tenant_router(
    "/v1/accounting/open-invoices",
    tag="open invoices",
    about="What is open of invoices of the system that the company came from.",
    reads=_READS,
)
billing_router = tenant_router(
    "/v1/accounting/billing",
    tag="billing",
    about="When what has left is invoiced, and what documents say of the company.",
    reads=_READS,
)

Invoices = Annotated[
    PageRequest,
    listed(
        Invoice,
        by_id(Invoice),
        any_of(Invoice.status, Status),
        any_of(Invoice.kind, Kind),
        numbered(Invoice.number),
        equal(Invoice.customer_id),
        equal(Invoice.currency),
        where(
            "order_id",
            UUID,
            of_order,
            "Invoices that something of this order is on, or by which it is paid ahead.",
        ),
        where(
            "overdue",
            bool,
            lambda wanted: Invoice.overdue_since.is_not(None) if wanted else Invoice.overdue_since.is_(None),
            "Whether the day by which it was to be paid is over, with something open.",
        ),
        where(
            "taken_over",
            bool,
            lambda wanted: Invoice.taken_over_on.is_not(None) if wanted else Invoice.taken_over_on.is_(None),
            "Whether another system wrote it.",
        ),
        *between(Invoice.dated),
        *between(Invoice.due_on),
        sort=[Invoice.created_at],
    ),
]
CreditNotes = Annotated[
    PageRequest,
    listed(
        CreditNote,
        numbered(CreditNote.number),
        equal(CreditNote.invoice_id),
        equal(CreditNote.customer_id),
        *between(CreditNote.dated),
        sort=[CreditNote.number, CreditNote.dated],
    ),
]


@router.post("", status_code=201, response_model=InvoiceView)
async def create_invoice(tx: Tx, who: InvoiceWriter, body: NewInvoice) -> Invoice:
    """Draft an invoice of what has left, of lines of its own, or of what is to be paid ahead. Nothing is booked before it is issued."""
    return await commands.create(tx, body)


@router.get("", response_model=Page[InvoiceSummary])
async def list_invoices(tx: Tx, who: InvoiceReader, page: Invoices) -> Listing[Invoice]:
    """Invoices without their lines; by `id` they come in order of creation."""
    return await paginate(tx, select(Invoice).options(raiseload(Invoice.lines)), page)


@router.get("/{invoice_id}", response_model=InvoiceView)
async def read_invoice(tx: Tx, who: InvoiceReader, invoice_id: UUID) -> Invoice:
    """One invoice with its lines."""
    return await tx.find(Invoice, invoice_id)


@router.put("/{invoice_id}", response_model=InvoiceView)
async def replace_invoice(tx: Tx, who: InvoiceWriter, match: IfMatch, invoice_id: UUID, body: InvoiceTerms) -> Invoice:
    """Say other terms of a draft, and what it sells by itself; its shipments stay."""
    return await commands.replace(tx, invoice_id, match, body)


@router.delete("/{invoice_id}", status_code=204)
async def delete_invoice(tx: Tx, who: InvoiceWriter, match: IfMatch, invoice_id: UUID) -> None:
    """Drop a draft. It stays readable, as cancelled; its shipments can be invoiced again."""
    await commands.delete(tx, invoice_id, match)


@router.post("/{invoice_id}/issue", response_model=InvoiceView)
async def issue_invoice(
    tx: Tx, who: InvoiceWriter, match: IfMatch, invoice_id: UUID, body: IssueBody | None = None
) -> Invoice:
    """Let it bind, under the next number. From here on it never changes, so that what the company's template asks for is there before."""
    return await commands.issue(tx, invoice_id, match, body or IssueBody())


@router.post("/{invoice_id}/credit-notes", status_code=201, response_model=CreditNoteView)
async def create_credit_note(
    tx: Tx, who: InvoiceWriter, match: IfMatch, invoice_id: UUID, body: NewCreditNote
) -> CreditNote:
    """Take an invoice back, or a part of it, with the tax of each rate. What was paid beyond the rest is the customer's credit."""
    return await crediting.credit(tx, invoice_id, match, body)


@router.get("/{invoice_id}/document", response_class=Paper, response_model=None)
async def read_invoice_document(tx: Tx, who: InvoiceReader, invoice_id: UUID) -> Paper:
    """The invoice as a document (PDF/A), in the customer's language and the company's layout. 409 for one that another system wrote."""
    invoice = await tx.find(Invoice, invoice_id)
    invoice.ensure_written_here()
    said = invoice_document(invoice, await policy.seller(tx), await days.today(tx))
    return paper(said, (await settings.effective(tx)).layout)


@router.get("/{invoice_id}/ubl", response_class=ubl.Ubl, response_model=None)
async def read_invoice_ubl(tx: Tx, who: InvoiceReader, invoice_id: UUID) -> ubl.Ubl:
    """The invoice as UBL 2.1 (EN 16931, Peppol BIS Billing 3). 409 for a draft, and while something is missing that the standard asks for."""
    invoice = await tx.find(Invoice, invoice_id)
    if invoice.status in ("draft", "cancelled"):
        invoice.after("credited")
    invoice.ensure_written_here()
    endpoint = await policy.endpoint_of(tx, invoice.customer_id)
    return ubl.answer(ubl.invoice_ubl(invoice, endpoint, await iban_for(tx, invoice.currency)), invoice.name)


@opening_router.post("", status_code=201, response_model=InvoiceView)
async def create_open_invoice(tx: Tx, who: TakesOver, body: NewOpenInvoice) -> Invoice:
    """Let what is open of an invoice of another system be owed here, against the account of opening balances: it was sold and taxed there."""
    return await opening.take_over(tx, body)


@notes_router.get("", response_model=Page[CreditNoteSummary])
async def list_credit_notes(tx: Tx, who: InvoiceReader, page: CreditNotes) -> Listing[CreditNote]:
    """Credit notes without their lines."""
    return await paginate(tx, select(CreditNote).options(raiseload(CreditNote.lines)), page)


@notes_router.get("/{credit_note_id}", response_model=CreditNoteView)
async def read_credit_note(tx: Tx, who: InvoiceReader, credit_note_id: UUID) -> CreditNote:
    """One credit note with its lines."""
    return await tx.find(CreditNote, credit_note_id)


@notes_router.get("/{credit_note_id}/document", response_class=Paper, response_model=None)
async def read_credit_note_document(tx: Tx, who: InvoiceReader, credit_note_id: UUID) -> Paper:
    """The credit note as a document (PDF/A), in the customer's language and the company's layout."""
    note = await tx.find(CreditNote, credit_note_id)
    said = credit_note_document(note, await tx.find(Invoice, note.invoice_id))
    return paper(said, (await settings.effective(tx)).layout)


@notes_router.get("/{credit_note_id}/ubl", response_class=ubl.Ubl, response_model=None)
async def read_credit_note_ubl(tx: Tx, who: InvoiceReader, credit_note_id: UUID) -> ubl.Ubl:
    """The credit note as UBL 2.1 (EN 16931, Peppol BIS Billing 3). 409 while something is missing that the standard asks for."""
    note = await tx.find(CreditNote, credit_note_id)
    invoice = await tx.find(Invoice, note.invoice_id)
    assert invoice.dated is not None
    endpoint = await policy.endpoint_of(tx, note.customer_id)
    return ubl.answer(ubl.credit_note_ubl(note, invoice.dated, endpoint), note.number)


@billing_router.get("")
async def read_billing(tx: Tx, who: InvoiceReader) -> BillingPolicyView:
    """How the company invoices."""
    return BillingPolicyView.model_validate(await policy.policy_of(tx))


@billing_router.put("")
async def replace_billing(tx: Tx, who: Writer, body: BillingPolicyBody) -> BillingPolicyView:
    """Say how the company invoices, all of it. What is invoiced already stays."""
    return BillingPolicyView.model_validate(await policy.set_policy(tx, body))


@billing_router.get("/customers/{customer_id}")
async def read_billing_terms(tx: Tx, who: InvoiceReader, customer_id: UUID) -> BillingTermsView:
    """What was agreed with one customer about invoices."""
    return BillingTermsView.model_validate(await policy.terms_of(tx, await policy.known(tx, customer_id)))


@billing_router.put("/customers/{customer_id}")
async def replace_billing_terms(tx: Tx, who: Writer, customer_id: UUID, body: BillingTermsBody) -> BillingTermsView:
    """Agree something of its own with a customer."""
    return BillingTermsView.model_validate(await policy.set_terms(tx, await policy.known(tx, customer_id), body))
