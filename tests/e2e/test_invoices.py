"""From an order to its money: shipped in two parts, invoiced, printed, paid by a statement of the bank, and the order knows."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from company import Company, dead_letters
from quiescence import quiescent

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

V1 = "/v1/accounting"
ISSUER = {
    "lines": ["1 Mill Lane"],
    "city": "Hamburg",
    "country": "DE",
    "tax_id": "DE123456788",
    "electronic_address": "9930:DE123456788",
}


async def billed(company: Company) -> dict[str, Any]:
    """A customer whose orders are invoiced with each shipment."""
    member = company.member
    address = {"use": "billing", "lines": ["12 Analytical Row"], "city": "Lyon", "country": "FR"}
    body = {"name": "Ada Works", "currency": "EUR", "payment_terms_days": 14, "addresses": [address]}
    ada: dict[str, Any] = await member.post("/v1/customers", body)
    await member.put(f"{V1}/billing", {"issues": True, "issuer": ISSUER})
    terms = {"mode": "per_shipment", "electronic_address": "9957:FR32123456789"}
    here = f"{V1}/billing/customers/{ada['id']}"
    await eventually(lambda: member.send("GET", here), lambda said: said.status_code == 200, what="the customer")
    await member.put(here, terms)
    return ada


async def test_an_order_is_shipped_invoiced_printed_and_paid(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    ada = await billed(company)
    order = await company.order(7, customer_id=ada["id"], customer_name="Ada Works")
    (shipment,) = await eventually(lambda: company.shipments(order["id"]), bool, what="a shipment")
    line = shipment["lines"][0]["line_id"]
    part = {"lines": [{"line_id": line, "quantity": "3"}]}
    await member.post(f"/v1/shipments/{shipment['id']}/split", part)
    for each in await company.shipments(order["id"]):
        await member.post(f"/v1/shipments/{each['id']}/dispatch", {"tracking_number": "T-1"})

    invoices = await eventually(
        lambda: member.every(f"{V1}/invoices", order_id=order["id"]),
        lambda found: [each["status"] for each in found] == ["issued", "issued"],
        what="an invoice of each shipment",
    )
    total = 7 * 1_000 * 11 // 10
    assert sum(each["total"] for each in invoices) == total
    assert sorted(each["number"][-5:] for each in invoices) == ["00001", "00002"]
    for each in invoices:
        paper = await member.send("GET", f"{V1}/invoices/{each['id']}/document")
        assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
        written = await member.send("GET", f"{V1}/invoices/{each['id']}/ubl")
        assert (written.status_code, written.headers["content-type"]) == (200, "application/xml")
    asked = await eventually(lambda: company.read(order["id"]), lambda o: o["invoicing"] == "full", what="invoiced")
    assert (asked["invoiced"], asked["payment"], asked["paid"]) == (total, "none", 0)

    bank = await member.post(
        f"{V1}/bank-accounts", {"code": "HB", "name": "House bank", "currency": "EUR", "account": "1000"}
    )
    first, second = invoices
    today = datetime.now(UTC).date().isoformat()
    rows = [f"{today},{Decimal(each['total']) / 100},Ada Works,Invoice {each['number']}" for each in invoices]
    text = "\n".join(["value_day,amount,payer_name,reference", *rows, ""])
    body = {"bank_account_id": bank["id"], "format": "csv", "content": text, "confirm_certain": True}
    read = await member.post(f"{V1}/bank-statements", body)
    again = await member.post(f"{V1}/bank-statements", body)
    assert (read["id"], read["fresh"]) == (again["id"], 2)
    lines = await member.every(f"{V1}/bank-lines", bank_statement_id=read["id"])
    assert [each["status"] for each in lines] == ["matched", "matched"]
    paid = await eventually(lambda: company.read(order["id"]), lambda o: o["payment"] == "full", what="the order paid")
    assert paid["paid"] == total
    for each in (first, second):
        assert (await member.get(f"{V1}/invoices/{each['id']}"))["status"] == "paid"
    await quiescent(fleet, member.tenant_id)
    balances = await company.balances()
    assert (balances["1000"], balances.get("1200", 0), balances.get("1210", 0)) == (total, 0, 0)
    assert (balances["4000"], balances["2200"]) == (-7_000, -700)
    integrity = await member.get(f"{V1}/integrity")
    assert integrity["intact"], integrity
    assert await dead_letters(fleet, company) == []
