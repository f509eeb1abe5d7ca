"""Invoices and credit notes under the rules of EN 16931, the CEN's own, and OpenPEPPOL's of BIS 3: they hold here, and find what is wrong."""

from collections.abc import Sequence

import pytest
from billing import ISSUER, Billing
from peppol import findings

from accounting.invoices.ubl import unit_code
from tailrace.core.ids import uuid7

BUYER = "9957:FR32123456789"


async def written(billing: Billing, path: str) -> bytes:
    made = await billing.h.client.get(f"/v1/accounting{path}/ubl")
    assert (made.status_code, made.headers["content-type"]) == (200, "application/xml"), made.text
    return made.content


def test_the_case_of_a_unit_counts_where_it_makes_another_one() -> None:
    said = {"mm": "MMT", "Mm": "C62", "h": "HUR", "H": "C62", "mg": "MGM", "Mg": "C62", "ml": "MLT", "ML": "C62"}
    said |= {"kWh": "KWH", "L": "LTR", "PCS": "C62", "Box": "XBX", "KG": "KGM", "M2": "MTK", "": "C62"}
    assert {unit: unit_code(unit) for unit in said} == said


@pytest.fixture
async def electronic(billing: Billing) -> Billing:
    await billing.put(f"/billing/customers/{billing.ada}", electronic_address=BUYER)
    return billing


LINES: Sequence[Sequence[tuple[str, int, str]]] = [
    [("10", 10_000, "0.1")],
    [("7", 1_003, "0.1"), ("3", 335, "0.1"), ("9", 77, "0.08"), ("2", 500, "0")],
    [("0.125", 999, "0.19"), ("700", 1_003, "0.1")],
    [("1", 0, "0.19"), ("3", 1, "0.19")],
]


async def test_an_invoice_keeps_the_rules(electronic: Billing) -> None:
    await electronic.bank(iban="DE89370400440532013000")
    for lines in LINES:
        invoice = await electronic.invoiced(*lines)
        document = await written(electronic, f"/invoices/{invoice['id']}")
        assert findings(document) == []
        assert f"<cbc:ID>{invoice['number']}</cbc:ID>".encode() in document


async def test_parts_of_an_order_keep_them_too(electronic: Billing) -> None:
    order = await electronic.order(("7", 1_003, "0.1"), ("3", 335, "0.1"))
    for cut in (("2", "1"), ("3", "0"), ("2", "2")):
        shipment = await electronic.ship(order, *cut)
        invoice = await electronic.issue(await electronic.post("/invoices", shipment_ids=[str(shipment)]))
        assert findings(await written(electronic, f"/invoices/{invoice['id']}")) == []


async def test_parts_without_decimals_and_what_is_paid_ahead_keep_them_too(electronic: Billing) -> None:
    """Tax is rounded for each invoice: so no part is a whole yen off what it comes to alone."""
    yen = await electronic.bank("JPY")
    order = await electronic.order(("7", 1_003, "0.1"), ("3", 335, "0.1"), ("2", 335, "0.08"), currency="JPY")
    ahead = await electronic.post("/invoices", order_id=str(order.id), prepayment={"share": "0.3"})
    asked = await electronic.issue(ahead)
    await electronic.pay(yen, asked["total"], asked)
    document = await written(electronic, f"/invoices/{asked['id']}")
    assert findings(document) == []
    assert b"<cbc:InvoiceTypeCode>386<" in document
    left = asked["total"]
    for cut in (("2", "1", "1"), ("3", "0", "1"), ("2", "2", "0")):
        shipment = await electronic.ship(order, *cut)
        invoice = await electronic.issue(await electronic.post("/invoices", shipment_ids=[str(shipment)]))
        document = await written(electronic, f"/invoices/{invoice['id']}")
        assert findings(document) == []
        if invoice["prepaid"]:
            for said in (
                f'PrepaidAmount currencyID="JPY">{invoice["prepaid"]}<',
                f'PayableAmount currencyID="JPY">{invoice["open"]}<',
            ):
                assert said.encode() in document
            assert f"<cbc:ID>{asked['number']}</cbc:ID>".encode() in document, "the prepayment invoice is named"
        left -= invoice["prepaid"]
    assert left == 0


async def test_dinars_of_a_thousand_fils_are_said_where_the_standard_has_room_for_them(electronic: Billing) -> None:
    """An amount has two decimals at most."""
    order = await electronic.order(("7", 1_000, "0.1"), ("1", 1_235, "0"), currency="KWD")
    even, fine = [await electronic.ship(order, *cut) for cut in (("7", "0"), ("0", "1"))]
    invoice = await electronic.issue(await electronic.post("/invoices", shipment_ids=[str(even)]))
    document = await written(electronic, f"/invoices/{invoice['id']}")
    assert findings(document) == []
    assert b'<cbc:TaxInclusiveAmount currencyID="KWD">1.10<' in document
    note = await electronic.post(f"/invoices/{invoice['id']}/credit-notes", reason="broken")
    assert findings(await written(electronic, f"/credit-notes/{note['id']}")) == []
    invoice = await electronic.issue(await electronic.post("/invoices", shipment_ids=[str(fine)]))
    said = await electronic.get(f"/invoices/{invoice['id']}/ubl", 409)
    assert (said["type"], [each["field"] for each in said["errors"]]) == (
        "urn:tailrace:problem:no-electronic-invoice",
        ["/currency"],
    )
    note = await electronic.post(f"/invoices/{invoice['id']}/credit-notes", reason="broken")
    assert [each["field"] for each in (await electronic.get(f"/credit-notes/{note['id']}/ubl", 409))["errors"]] == [
        "/currency"
    ]


async def test_a_credit_note_keeps_the_rules(electronic: Billing) -> None:
    invoice = await electronic.invoiced(*LINES[1])
    line = invoice["lines"][0]["id"]
    for body in ({"lines": [{"line_id": line, "quantity": "2"}]}, {"lines": [{"line_id": line, "net": 5}]}, {}):
        note = await electronic.post(f"/invoices/{invoice['id']}/credit-notes", reason="broken & late", **body)
        assert findings(await written(electronic, f"/credit-notes/{note['id']}")) == []


# What is written, what is made of it, and which rule that breaks.
WRONG: Sequence[tuple[bytes, bytes, str]] = [
    (b'<cbc:PayableAmount currencyID="EUR">110.00', b'<cbc:PayableAmount currencyID="EUR">111.00', "BR-CO-16"),
    (b"<cbc:IssueDate>", b"<cbc:IssueDate>X", "PEPPOL-EN16931-F001"),
    (b'<cbc:TaxAmount currencyID="EUR">10.00', b'<cbc:TaxAmount currencyID="EUR">13.00', "BR-CO-17"),
    (b"<cbc:RegistrationName>Ada Works</cbc:RegistrationName>", b"", "BR-07"),
    (b"<cbc:ProfileID>urn:fdc:peppol.eu:2017", b"<cbc:ProfileID>urn:fdc:peppol.eu:2016", "PEPPOL-EN16931-R007"),
    (b"#compliant#urn:fdc:peppol.eu:2017", b"#compliant#urn:fdc:peppol.eu:2016", "PEPPOL-EN16931-R004"),
    (b"<cbc:BuyerReference>PO-1</cbc:BuyerReference>", b"", "PEPPOL-EN16931-R003"),
    (b"<cbc:BuyerReference>PO-1</cbc:BuyerReference>", b"<cbc:BuyerReference/>", "PEPPOL-EN16931-R008"),
    (b'schemeID="9957">FR32123456789', b'schemeID="FR">FR32123456789', "PEPPOL-EN16931-CL008"),
    (b'<cbc:EndpointID schemeID="9957">FR32123456789</cbc:EndpointID>', b"", "PEPPOL-EN16931-R010"),
    (b'<cbc:EndpointID schemeID="9930">DE123456788</cbc:EndpointID>', b"", "PEPPOL-EN16931-R020"),
    (b'schemeID="9957">FR32123456789', b'schemeID="0088">4012345000008', "PEPPOL-COMMON-R040"),
    (b'PriceAmount currencyID="EUR"', b'PriceAmount currencyID="USD"', "PEPPOL-EN16931-R051"),
    (b"InvoiceTypeCode>380", b"InvoiceTypeCode>325", "PEPPOL-EN16931-P0100"),
    (b'PriceAmount currencyID="EUR">10<', b'PriceAmount currencyID="EUR">10.1<', "PEPPOL-EN16931-R120"),
]


async def test_the_rules_find_what_is_wrong(electronic: Billing) -> None:
    document = await written(electronic, f"/invoices/{(await electronic.invoiced())['id']}")
    assert findings(document) == []
    for was, made, rule in WRONG:
        assert was in document, was
        found = findings(document.replace(was, made))
        assert any(each.split(":")[0] == rule for each in found), (rule, found)
    without = b"".join(line + b"\n" for line in document.splitlines() if b"<cbc:IssueDate>" not in line)
    assert any(each.startswith("BR-03:") for each in findings(without))


async def test_what_nobody_has_said_is_refused_by_name(billing: Billing) -> None:
    for wrong in ("DE123456789", "FR:123", "9930:", "9930: x"):
        said = await billing.put(f"/billing/customers/{billing.ada}", 422, electronic_address=wrong)
        assert said["errors"][0]["field"] == "/electronic_address"
    invoice = await billing.invoiced()
    said = await billing.get(f"/invoices/{invoice['id']}/ubl", 409)
    assert said["type"] == "urn:tailrace:problem:no-electronic-invoice"
    assert [each["field"] for each in said["errors"]] == ["/customer/electronic_address"]
    issuer = {name: value for name, value in ISSUER.items() if name not in ("tax_id", "electronic_address")}
    await billing.put("/billing", issuer=issuer)
    other = await billing.invoiced()
    said = await billing.get(f"/invoices/{other['id']}/ubl", 409)
    assert {each["field"] for each in said["errors"]} >= {"/issuer/tax_id", "/issuer/electronic_address"}
    draft = await billing.post("/invoices", customer_id=str(billing.ada), lines=[_fee()])
    assert (await billing.get(f"/invoices/{draft['id']}/ubl", 409))["type"] == "urn:tailrace:problem:invoice-state"
    await billing.get(f"/invoices/{uuid7()}/ubl", 404)


def _fee() -> dict[str, object]:
    return {"name": "Fee", "quantity": "1", "unit_price": "100", "tax_rate": "0.1"}
