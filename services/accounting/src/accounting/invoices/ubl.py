"""Invoices and credit notes as UBL 2.1 (ISO/IEC 19845) under EN 16931 and Peppol BIS Billing 3: what another company's system reads.

Amounts are written in major units. What the standard asks for and nobody has said is refused by name, and never made up.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from fastapi import Response
from lxml import etree

from accounting.invoices.credit import CreditNote, CreditNoteLine
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from accounting.invoices.refusals import NoElectronicInvoice
from contracts.orders import RateOfTax
from tailrace.core.errors import FieldProblem
from tailrace.core.values.money import exponent, plain_decimal
from tailrace.http.files.disposition import disposition

CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC, _CBC = f"{_UBL}CommonAggregateComponents-2", f"{_UBL}CommonBasicComponents-2"
_UNITS = {
    "pcs": "C62",
    "pc": "C62",
    "ea": "EA",
    "kg": "KGM",
    "g": "GRM",
    "t": "TNE",
    "mg": "MGM",
    "lb": "LBR",
    "oz": "ONZ",
    "m": "MTR",
    "mm": "MMT",
    "cm": "CMT",
    "km": "KMT",
    "m2": "MTK",
    "m3": "MTQ",
    "l": "LTR",
    "ml": "MLT",
    "h": "HUR",
    "min": "MIN",
    "s": "SEC",
    "day": "DAY",
    "box": "XBX",
    "set": "SET",
    "pair": "PR",
    "kwh": "KWH",
}
"""UN/ECE Recommendation 20 and 21, by the units of the catalog; what is not here is `C62`, one."""
_CASE_COUNTS = frozenset("g h m mg ml mm s t".split())
"""In capitals they are something else: `Mm` a thousand kilometres, `H` the henry. The others are the same however they are written."""
_SLACK = Fraction(2, 100)
"""In major units: by so much may a line differ from its quantity times its price."""
_DECIMALS = 2
"""So many an amount may have at most (BR-DEC-01 and its like), also in dinars of a thousand fils."""
_CREDIT_TRANSFER, _INVOICE, _PREPAYMENT, _CREDIT_NOTE = "30", "380", "386", "381"


class Ubl(Response):
    """An XML document, which a browser saves and does not show."""

    media_type = "application/xml"


def answer(document: bytes, number: str) -> Ubl:
    return Ubl(document, headers={"Content-Disposition": disposition(f"{number}.xml")})


def invoice_ubl(invoice: Invoice, endpoint: str | None, iban: str | None) -> bytes:
    """An issued invoice. `endpoint` is where the customer receives it, `iban` where it is paid to. Raises NoElectronicInvoice."""
    assert invoice.seller is not None and invoice.dated is not None and invoice.due_on is not None
    _ensure_complete(invoice, invoice.seller, endpoint)
    root = _root("Invoice")
    _said(root, "CustomizationID", CUSTOMIZATION)
    _said(root, "ProfileID", PROFILE)
    _said(root, "ID", invoice.name)
    _said(root, "IssueDate", invoice.dated.isoformat())
    _said(root, "DueDate", invoice.due_on.isoformat())
    _said(root, "InvoiceTypeCode", _PREPAYMENT if invoice.kind == "prepayment" else _INVOICE)
    _said(root, "Note", invoice.notes)
    _said(root, "DocumentCurrencyCode", invoice.currency)
    _said(root, "BuyerReference", invoice.customer_reference or invoice.name)
    if invoice.supplied_from and invoice.supplied_until and invoice.supplied_from != invoice.supplied_until:
        period = _part(root, "InvoicePeriod")
        _said(period, "StartDate", invoice.supplied_from.isoformat())
        _said(period, "EndDate", invoice.supplied_until.isoformat())
    for number, dated in {(each["number"], each["dated"]): None for each in invoice.prepayments}:
        _preceding(root, number, dated)
    _parties(root, invoice.seller, invoice.customer, endpoint)
    if invoice.supplied_from and invoice.supplied_from == invoice.supplied_until:
        _said(_part(root, "Delivery"), "ActualDeliveryDate", invoice.supplied_from.isoformat())
    _payment(root, invoice.name, iban, invoice.seller)
    _totals(root, invoice.currency, invoice.taxes, invoice.net, invoice.tax, invoice.prepaid)
    for line in invoice.lines:
        _line(root, "InvoiceLine", "InvoicedQuantity", line, invoice.currency)
    return _written(root)


def credit_note_ubl(note: CreditNote, invoiced: date, endpoint: str | None) -> bytes:
    """A credit note; `invoiced` is the day of its invoice. Raises NoElectronicInvoice."""
    _ensure_complete(note, note.seller, endpoint)
    root = _root("CreditNote")
    _said(root, "CustomizationID", CUSTOMIZATION)
    _said(root, "ProfileID", PROFILE)
    _said(root, "ID", note.number)
    _said(root, "IssueDate", note.dated.isoformat())
    _said(root, "CreditNoteTypeCode", _CREDIT_NOTE)
    _said(root, "Note", note.reason)
    _said(root, "DocumentCurrencyCode", note.currency)
    _said(root, "BuyerReference", note.invoice_number)
    _preceding(root, note.invoice_number, invoiced.isoformat())
    _parties(root, note.seller, note.customer, endpoint)
    _totals(root, note.currency, note.taxes, note.net, note.tax)
    for line in note.lines:
        _line(root, "CreditNoteLine", "CreditedQuantity", line, note.currency)
    return _written(root)


def _ensure_complete(of: Invoice | CreditNote, seller: Mapping[str, Any], endpoint: str | None) -> None:
    """Raises NoElectronicInvoice with everything that is missing."""
    buyer = of.customer
    missing = [
        (seller["country"], "/issuer/country", "Say in which country the company is."),
        (
            seller["tax_id"] or seller["registration_id"],
            "/issuer/tax_id",
            "Say the company's number at the tax office.",
        ),
        (seller["electronic_address"], "/issuer/electronic_address", "Say where the company receives documents."),
        (buyer["country"], "/customer/addresses", "The customer has no address with a country."),
        (endpoint, "/customer/electronic_address", "Say where the customer receives documents."),
    ]
    problems = [FieldProblem(field=field, detail=detail) for value, field, detail in missing if not value]
    if any(each.rate for each in of.taxes) and not seller["tax_id"]:
        problems.append(
            FieldProblem(field="/issuer/tax_id", detail="What is taxed asks for a number at the tax office.")
        )
    off = [
        rate for rate, (net, tax) in _by_rate(of.taxes).items() if abs(tax - net * rate) >= 10 ** exponent(of.currency)
    ]
    if off:
        # BR-CO-17 allows less than one major unit: parts of an order in a currency without decimals may differ by more.
        detail = (
            f"The tax at {off[0]} is a share of the order's, and one unit or more off what this part alone comes to."
        )
        problems.append(FieldProblem(field="/taxes", detail=detail))
    if _is_finer(of):
        detail = f"An amount in {of.currency} has more than the {_DECIMALS} decimals that the standard has room for."
        problems.append(FieldProblem(field="/currency", detail=detail))
    if problems:
        raise NoElectronicInvoice(problems[0].detail, errors=problems)


def _is_finer(of: Invoice | CreditNote) -> bool:
    """Whether something that is said of it has more decimals than an amount may have. The totals are sums of these."""
    unit = 10 ** max(exponent(of.currency) - _DECIMALS, 0)
    prepaid = of.prepaid if isinstance(of, Invoice) else 0
    taxes = [amount for sums in _by_rate(of.taxes).values() for amount in sums]
    return any(amount % unit for amount in (prepaid, *taxes, *(line.net for line in of.lines)))


def _parties(root: Any, seller: Mapping[str, Any], buyer: Mapping[str, Any], endpoint: str | None) -> None:
    _party(_part(_part(root, "AccountingSupplierParty"), "Party"), seller, seller["electronic_address"])
    _party(_part(_part(root, "AccountingCustomerParty"), "Party"), buyer, endpoint)


def _party(party: Any, who: Mapping[str, Any], endpoint: str | None) -> None:
    scheme, _, address = (endpoint or "").partition(":")
    _said(party, "EndpointID", address, schemeID=scheme)
    address_of = _part(party, "PostalAddress")
    for name, text in zip(("StreetName", "AdditionalStreetName"), who["street"], strict=False):
        _said(address_of, name, text)
    for name, key in (("CityName", "city"), ("PostalZone", "postal_code"), ("CountrySubentity", "region")):
        _said(address_of, name, who.get(key))
    if len(who["street"]) > 2:
        _said(_part(address_of, "AddressLine"), "Line", ", ".join(who["street"][2:]))
    _said(_part(address_of, "Country"), "IdentificationCode", who["country"])
    if who.get("tax_id"):
        tax = _part(party, "PartyTaxScheme")
        _said(tax, "CompanyID", who["tax_id"])
        _said(_part(tax, "TaxScheme"), "ID", "VAT" if str(who["tax_id"])[:2].isalpha() else "TAX")
    legal = _part(party, "PartyLegalEntity")
    _said(legal, "RegistrationName", who["name"])
    _said(legal, "CompanyID", who.get("registration_id"))


def _payment(root: Any, number: str, iban: str | None, seller: Mapping[str, Any]) -> None:
    if iban:
        means = _part(root, "PaymentMeans")
        _said(means, "PaymentMeansCode", _CREDIT_TRANSFER)
        _said(means, "PaymentID", number)
        _said(_part(means, "PayeeFinancialAccount"), "ID", iban)
    if seller.get("payment_instructions"):
        _said(_part(root, "PaymentTerms"), "Note", seller["payment_instructions"])


def _preceding(root: Any, number: str, dated: str) -> None:
    """An earlier invoice: the one that is taken back, or one by which something was paid ahead (BG-3)."""
    reference = _part(_part(root, "BillingReference"), "InvoiceDocumentReference")
    _said(reference, "ID", number)
    _said(reference, "IssueDate", dated)


def _totals(root: Any, currency: str, taxes: Sequence[RateOfTax], net: int, tax: int, prepaid: int = 0) -> None:
    """What it comes to, and what is to be paid of that (BT-115), less what was paid ahead (BT-113)."""
    total = _part(root, "TaxTotal")
    _amount(total, "TaxAmount", tax, currency)
    for rate, (taxed, levied) in _by_rate(taxes).items():
        part = _part(total, "TaxSubtotal")
        _amount(part, "TaxableAmount", taxed, currency)
        _amount(part, "TaxAmount", levied, currency)
        _category(_part(part, "TaxCategory"), rate)
    sums = _part(root, "LegalMonetaryTotal")
    _amount(sums, "LineExtensionAmount", net, currency)
    _amount(sums, "TaxExclusiveAmount", net, currency)
    _amount(sums, "TaxInclusiveAmount", net + tax, currency)
    if prepaid:
        _amount(sums, "PrepaidAmount", prepaid, currency)
    _amount(sums, "PayableAmount", net + tax - prepaid, currency)


def _by_rate(taxes: Sequence[RateOfTax]) -> dict[Decimal, tuple[int, int]]:
    """The law knows rates, and no codes of ours."""
    sums: dict[Decimal, tuple[int, int]] = {}
    for each in taxes:
        net, tax = sums.get(each.rate, (0, 0))
        sums[each.rate] = (net + each.net, tax + each.tax)
    return sums


def _line(root: Any, kind: str, counted: str, line: InvoiceLine | CreditNoteLine, currency: str) -> None:
    it = _part(root, kind)
    quantity = Decimal(1) if line.quantity is None else line.quantity
    price = Fraction(line.net) if line.quantity is None else Fraction(line.unit_price)
    _said(it, "ID", str(line.position))
    _said(it, counted, plain_decimal(quantity), unitCode=_unit(line))
    _amount(it, "LineExtensionAmount", line.net, currency)
    if isinstance(line, InvoiceLine) and line.order_number:
        _said(_part(it, "OrderLineReference"), "LineID", str(line.position))
    item = _part(it, "Item")
    _said(item, "Name", line.name)
    if line.sku:
        _said(_part(item, "SellersItemIdentification"), "ID", line.sku)
    _category(_part(item, "ClassifiedTaxCategory"), line.tax_rate)
    _price(_part(it, "Price"), quantity, price, line, currency)


def _price(it: Any, quantity: Decimal, price: Fraction, line: InvoiceLine | CreditNoteLine, currency: str) -> None:
    """What one costs; or what all cost together, where rounding took their amount too far from that (PEPPOL-EN16931-R120)."""
    apart = abs(Fraction(quantity) * price - line.net) / 10 ** exponent(currency)
    if apart > _SLACK:
        _amount(it, "PriceAmount", line.net, currency)
        _said(it, "BaseQuantity", plain_decimal(quantity), unitCode=_unit(line))
        return
    exact = Decimal(price.numerator) / Decimal(price.denominator)
    _said(it, "PriceAmount", plain_decimal(exact.scaleb(-exponent(currency))), currencyID=currency)


def unit_code(unit: str) -> str:
    """The code for what one of them is; `C62`, one, for a unit that has none here."""
    small = unit.lower()
    return _UNITS.get(unit if small in _CASE_COUNTS else small, "C62")


def _unit(line: InvoiceLine | CreditNoteLine) -> str:
    return unit_code(line.unit or "")


def _category(category: Any, rate: Decimal) -> None:
    """Standard rate, or zero rate."""
    _said(category, "ID", "S" if rate else "Z")
    _said(category, "Percent", plain_decimal(rate * 100))
    _said(_part(category, "TaxScheme"), "ID", "VAT")


def _root(name: str) -> Any:
    spaces: Any = {None: f"{_UBL}{name}-2", "cac": _CAC, "cbc": _CBC}
    return etree.Element(f"{{{_UBL}{name}-2}}{name}", nsmap=spaces)


def _part(parent: Any, name: str) -> Any:
    return etree.SubElement(parent, f"{{{_CAC}}}{name}")


def _said(parent: Any, name: str, text: object, **attributes: str) -> None:
    """An element, unless there is nothing to say."""
    if text:
        etree.SubElement(parent, f"{{{_CBC}}}{name}", attributes).text = str(text)


def _amount(parent: Any, name: str, minor: int, currency: str) -> None:
    """In major units; what is finer than an amount may be is refused before."""
    places = exponent(currency)
    _said(parent, name, f"{Decimal(minor).scaleb(-places):.{min(places, _DECIMALS)}f}", currencyID=currency)


def _written(root: Any) -> bytes:
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written
