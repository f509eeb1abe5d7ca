"""Invoices and credit notes as documents: what is printed. In Japan it holds what a qualified invoice must say (消費税法 第57条の4): the issuer's
registration number, the day of supply, and for each rate what is taxed and the tax, rounded once; a credit note (適格返還請求書) has the day on which
what it takes back was supplied."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from accounting.invoices.credit import CreditNote, CreditNoteLine
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from tailrace.core.values.layout import Layout
from tailrace.core.values.money import exponent, plain_decimal
from tailrace.documents import typeset
from tailrace.http.files.paper import Paper

_PERFORMED = {"en": "Order {0}, service {1}", "ja": "注文 {0}、役務 {1}"}
_DELIVERED = {"en": "Order {0}, shipment {1}", "ja": "注文 {0}、出荷 {1}"}
_DRAFT = {"en": "Draft", "ja": "下書き"}


def paper(said: Mapping[str, Any], layout: Layout) -> Paper:
    """What a document says, typeset as the company has it. Making it raises CannotBeTypeset, and Unavailable when too many are being made."""
    return Paper.later(said["number"], partial(typeset, "business", said, layout))


def invoice_document(invoice: Invoice, seller: Mapping[str, Any], today: date) -> dict[str, Any]:
    """What an invoice says; a draft says so, and has the day of today."""
    language = str(invoice.customer["language"])
    return {
        **_head("invoice", invoice, invoice.seller or seller, language),
        "number": invoice.number or _DRAFT[language],
        "date": (invoice.dated or today).isoformat(),
        "due_on": _day(invoice.due_on),
        "supplied_from": _day(invoice.supplied_from),
        "supplied_until": _day(invoice.supplied_until),
        "reference": invoice.customer_reference,
        "lines": [_line(line, _delivered(line, language)) for line in invoice.lines],
        "prepayments": [
            {
                "about": each["number"],
                "rate": _percent(Decimal(each["tax_rate"])),
                "net": each["net"],
                "tax": each["tax"],
            }
            for each in invoice.prepayments
        ],
        "terms": (invoice.seller or seller).get("payment_instructions") or None,
        "notes": invoice.notes,
    }


def credit_note_document(note: CreditNote, invoice: Invoice) -> dict[str, Any]:
    """What a credit note of an invoice says."""
    return {
        **_head("credit_note", note, note.seller, str(note.customer["language"])),
        "number": note.number,
        "date": note.dated.isoformat(),
        "about": note.invoice_number,
        "supplied_from": _day(invoice.supplied_from),
        "supplied_until": _day(invoice.supplied_until),
        "lines": [_line(line, None) for line in note.lines],
        "notes": note.reason,
    }


def _head(kind: str, of: Invoice | CreditNote, seller: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "language": language,
        "currency": of.currency,
        "digits": exponent(of.currency),
        "seller": {"name": seller["name"], "lines": seller["lines"], "tax_id": seller["tax_id"], "contact": None},
        "customer": {**{name: of.customer[name] for name in ("name", "lines", "tax_id")}, "contact": None},
        "taxes": [
            {"code": each.code or "", "rate": _percent(each.rate), "net": each.net, "tax": each.tax}
            for each in of.taxes
        ],
        "net": of.net,
        "tax": of.tax,
        "gross": of.total,
    }


def _line(line: InvoiceLine | CreditNoteLine, description: str | None) -> dict[str, Any]:
    lowered = line.quantity is None
    return {
        "position": line.position,
        "code": line.sku or "",
        "name": line.name,
        "description": description,
        "quantity": "1" if line.quantity is None else plain_decimal(line.quantity),
        "unit": "" if lowered else line.unit or "",
        "unit_price": line.net if lowered else plain_decimal(line.unit_price),
        "net": line.net,
        "tax_code": line.tax_code or "",
        "tax_rate": _percent(line.tax_rate),
    }


def _delivered(line: InvoiceLine, language: str) -> str | None:
    if line.performance_number is not None:
        return _PERFORMED[language].format(line.order_number, line.performance_number)
    if line.shipment_number is None:
        return None
    return _DELIVERED[language].format(line.order_number, line.shipment_number)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _percent(rate: Decimal) -> str:
    return plain_decimal(rate * 100)
