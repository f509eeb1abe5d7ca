"""From an order to its money: shipped in two parts, invoiced, printed, paid by a statement of the bank, and the order knows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from company import Company, dead_letters
from quiescence import quiescent

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, Member, eventually

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


IBAN = "DE89370400440532013000"
OUT, IN, NOT = "0.9", "0.95", "1.1"
"""What a dollar is worth in euro: on the day of the invoice, from the next day on, and from today on."""


async def test_a_service_in_another_currency_is_invoiced_valued_and_paid(fleet: Stack, gateway: Gateway) -> None:
    """1,100.00 dollars, which are worth 990.00 euro when they are asked for, and 1,045.00 when a day is valued and when they are paid."""
    company = await Company.found(gateway)
    member = company.member
    await member.put(f"{V1}/billing", {"issuer": ISSUER})
    done = datetime.now(UTC).replace(hour=12) - timedelta(days=4)
    days = [(done + timedelta(days=later)).date() for later in (0, 1, 4)]
    for day, rate in zip(days, (OUT, IN, NOT), strict=True):
        await member.put(f"{V1}/rates", {"currency": "USD", "against": "EUR", "day": day.isoformat(), "rate": rate})
    service = {"sku": "HOUR", "name": "Hour", "kind": "service", "unit": "pcs", "tax_rate": "0.1"}
    company.item_id = (await member.post("/v1/items", service))["id"]
    terms = company.body(1, currency="USD", ordered_at=done.isoformat())
    terms["lines"][0]["unit_price"] = "100000"
    order = await member.post("/v1/orders", terms)
    marks: list[str] = []
    await member.post(f"/v1/orders/{order['id']}/perform", {"performed_at": done.isoformat()}, marks=marks)
    await member.get(f"{V1}/invoices", limit=1, having_seen=marks[-1])
    draft = await member.post(f"{V1}/invoices", {"order_id": order["id"]})
    invoice = await member.post(f"{V1}/invoices/{draft['id']}/issue", {"dated": days[0].isoformat()})
    assert (invoice["currency"], invoice["total"]) == ("USD", 110_000)
    await quiescent(fleet, member.tenant_id)
    valued = await member.post(f"{V1}/revaluations", {"day": days[1].isoformat()})
    assert (valued["currency"], valued["difference"]) == ("EUR", 5_500)

    bank = {"code": "HB", "name": "House bank", "currency": "USD", "account": "1000", "iban": IBAN}
    account = await member.post(f"{V1}/bank-accounts", bank)
    content = _camt("1100.00", f"Invoice {invoice['number']}", days[1])
    body = {"bank_account_id": account["id"], "format": "camt.053", "content": content, "confirm_certain": True}
    read = await member.post(f"{V1}/bank-statements", body)
    (line,) = await member.every(f"{V1}/bank-lines", bank_statement_id=read["id"])
    payment = await member.get(f"{V1}/payments/{line['payment_id']}")
    (allocation,) = payment["allocations"]
    assert (line["status"], allocation["settled"], allocation["realised"]) == ("matched", 110_000, 5_500)
    assert (await member.get(f"{V1}/invoices/{invoice['id']}"))["status"] == "paid"
    await quiescent(fleet, member.tenant_id)
    trial = await member.get(f"{V1}/trial-balance", currency="USD")
    assert {row["account"]: row["balance"] for row in trial["rows"] if row["balance"]} == {
        "1000": 110_000,
        "2200": -10_000,
        "4000": -100_000,
    }
    await _is_taken_back(fleet, member, order)
    integrity = await member.get(f"{V1}/integrity")
    assert integrity["intact"], integrity
    assert await dead_letters(fleet, company) == []


async def _is_taken_back(fleet: Stack, member: Member, order: dict[str, Any]) -> None:
    """It was poorly done: what was paid for it is for no invoice any more, of somebody who is only named, and no warehouse was asked."""
    reason = await member.post("/v1/return-reasons", {"code": "POOR", "name": "Poorly done"})
    (left,) = (await member.get(f"/v1/orders/{order['id']}/returnable"))["lines"]
    line = {"shipment_id": left["shipment_id"], "line_id": left["line_id"], "quantity": left["returnable"]}
    asked = {"order_id": order["id"], "return_reason_id": reason["id"], "lines": [line], "authorise": True}
    made = await member.post("/v1/returns", asked)
    assert (left["performed"], made["status"], made["return_shipment_id"]) == (True, "inspected", None)
    closed = await eventually(
        lambda: member.get(f"/v1/returns/{made['id']}"), lambda said: said["status"] == "closed", what="the end of it"
    )
    assert (closed["credited_net"], closed["credited_tax"]) == (100_000, 10_000)
    await quiescent(fleet, member.tenant_id)
    trial = await member.get(f"{V1}/trial-balance", currency="USD")
    assert {row["account"]: row["balance"] for row in trial["rows"] if row["balance"]} == {
        "1000": 110_000,
        "2310": -110_000,
    }


def _camt(amount: str, text: str, day: date) -> str:
    """A statement of one line, as a bank sends it."""
    paid = f"<NtryDtls><TxDtls><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls>"
    dated = f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
    entry = (
        f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>{dated}{paid}</Ntry>'
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
        f"<BkToCstmrStmt><Stmt><Id>S-1</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>{entry}</Stmt></BkToCstmrStmt></Document>"
    )
