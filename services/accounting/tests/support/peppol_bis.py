"""The rules that Peppol BIS Billing 3 adds to EN 16931, as far as they concern what is written here, under the ids that OpenPEPPOL gives them.

They are written from the specification's text and look at the document alone. Its own Schematron comes with no package that could be locked here.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

_SPEC = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_PROCESS = re.compile(r"urn:fdc:peppol\.eu:2017:poacc:billing:(\d{2}):1\.0")
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
# Code lists of BIS 3: 71, 80 and so on are invoices (P0100), and five are credit notes (P0101).
_INVOICES = set("71 80 82 84 102 218 219 331 380 382 383 386 388 393 395 553 575 623 780 817 870 875 876 877".split())
_CREDIT_NOTES = {"381", "396", "81", "83", "532"}
_SLACK = Decimal("0.02")


def broken(document: bytes) -> list[str]:
    """The ids of the rules that a document breaks."""
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    for each in root.iter():
        # Names are told by their local part below.
        assert isinstance(each.tag, str), "no comments, no instructions"
    return sorted({*_head(root), *_parties(root), *_amounts(root), *_lines(root)})


def _text(of: Any, *path: str) -> str:
    """The text of the first element that lies there; empty when none does."""
    found = _all(of, *path)
    return (found[0].text or "").strip() if found else ""


def _all(of: Any, *path: str) -> list[Any]:
    return list(of.xpath("/".join(["."] + [f"*[local-name()='{name}']" for name in path])))


def _head(root: Any) -> Iterator[str]:
    profile = _text(root, "ProfileID")
    if not profile:
        yield "PEPPOL-EN16931-R001"
    matched = _PROCESS.fullmatch(profile)
    if matched is None:
        yield "PEPPOL-EN16931-R007"
    if len(_all(root, "Note")) > 1:
        yield "PEPPOL-EN16931-R002"
    if not _text(root, "BuyerReference") and not _text(root, "OrderReference", "ID"):
        yield "PEPPOL-EN16931-R003"
    if not _text(root, "CustomizationID").startswith(_SPEC):
        yield "PEPPOL-EN16931-R004"
    if _text(root, "TaxCurrencyCode") == _text(root, "DocumentCurrencyCode"):
        yield "PEPPOL-EN16931-R005"
    if any(not (each.text or "").strip() and len(each) == 0 for each in root.iter()):
        yield "PEPPOL-EN16931-R008"
    yield from _codes(root)


def _codes(root: Any) -> Iterator[str]:
    invoice = etree.QName(root).localname == "Invoice"
    kind = _text(root, "InvoiceTypeCode" if invoice else "CreditNoteTypeCode")
    if kind not in (_INVOICES if invoice else _CREDIT_NOTES):
        yield "PEPPOL-EN16931-P0100" if invoice else "PEPPOL-EN16931-P0101"
    days = [each for each in root.iter() if etree.QName(each).localname.endswith("Date")]
    if any(not re.fullmatch(r"\d{4}-\d{2}-\d{2}", each.text or "") for each in days):
        yield "PEPPOL-EN16931-F001"


def _parties(root: Any) -> Iterator[str]:
    for party, rule in (("AccountingCustomerParty", "R010"), ("AccountingSupplierParty", "R020")):
        endpoint = _all(root, party, "Party", "EndpointID")
        if not endpoint or not endpoint[0].text:
            yield f"PEPPOL-EN16931-{rule}"
        elif not re.fullmatch("[0-9]{4}|AN|AQ|AS|AU|EM", endpoint[0].get("schemeID", "")):
            yield "PEPPOL-EN16931-CL008"
        elif endpoint[0].get("schemeID") == "0088" and not _is_gln(endpoint[0].text):
            yield "PEPPOL-COMMON-R040"
    for means in _all(root, "PaymentMeans"):
        if _text(means, "PaymentMeansCode") in ("49", "59") and not _text(means, "PaymentMandate", "ID"):
            yield "PEPPOL-EN16931-R061"


def _amounts(root: Any) -> Iterator[str]:
    currency = _text(root, "DocumentCurrencyCode")
    if any(each.get("currencyID", currency) != currency for each in root.iter()):
        yield "PEPPOL-EN16931-R051"
    if len([each for each in _all(root, "TaxTotal") if _all(each, "TaxSubtotal")]) != 1:
        yield "PEPPOL-EN16931-R053"
    if [each for each in _all(root, "TaxTotal") if not _all(each, "TaxSubtotal")]:
        # Only with a second currency, which nothing here has.
        yield "PEPPOL-EN16931-R054"


def _lines(root: Any) -> Iterator[str]:
    invoice = etree.QName(root).localname == "Invoice"
    counted = "InvoicedQuantity" if invoice else "CreditedQuantity"
    for line in _all(root, "InvoiceLine" if invoice else "CreditNoteLine"):
        (quantity,) = _all(line, counted)
        base = _all(line, "Price", "BaseQuantity")
        price = Decimal(_text(line, "Price", "PriceAmount"))
        per = Decimal(base[0].text) if base else Decimal(1)
        if per <= 0:
            yield "PEPPOL-EN16931-R121"
            continue
        if base and base[0].get("unitCode") != quantity.get("unitCode"):
            yield "PEPPOL-EN16931-R130"
        if abs(Decimal(quantity.text) * price / per - Decimal(_text(line, "LineExtensionAmount"))) > _SLACK:
            yield "PEPPOL-EN16931-R120"
        if len(_all(line, "DocumentReference")) > 1:
            yield "PEPPOL-EN16931-R100"


def _is_gln(text: str) -> bool:
    digits = [int(each) for each in text if each.isdigit()]
    return len(digits) == 13 and sum(each * (1 if at % 2 == 0 else 3) for at, each in enumerate(digits)) % 10 == 0
