"""Invoices: of what has left, with the order's amounts to the minor unit, numbered without a gap, immutable once they are issued."""

import asyncio
from datetime import UTC, datetime, timedelta

from billing import Billing

from contracts.customers import CustomerMerged
from tailrace.core.ids import uuid7
from tailrace_testing import today


async def test_a_shipment_is_invoiced_issued_and_in_the_books(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    shipment = await billing.ship(order)
    assert await billing.balances() == {"1210": 11_000, "4000": -10_000, "2200": -1_000}

    draft = await billing.post("/invoices", shipment_ids=[str(shipment)])
    assert (draft["status"], draft["number"], draft["total"], draft["open"]) == ("draft", None, 11_000, 0)
    assert draft["customer"]["name"] == "Ada Works"
    assert draft["customer_reference"] == "PO-1"
    line = draft["lines"][0]
    assert (line["order_id"], line["quantity"], line["unit"], line["net"], line["tax"]) == (
        str(order.id),
        "10",
        "pcs",
        10_000,
        1_000,
    )
    assert await billing.balances() == {"1210": 11_000, "4000": -10_000, "2200": -1_000}, "a draft books nothing"

    invoice = await billing.issue(draft)
    assert invoice["number"] == f"INV-{today().year}-00001"
    assert (invoice["status"], invoice["open"]) == ("issued", 11_000)
    assert invoice["due_on"] == (today() + timedelta(days=14)).isoformat()
    assert await billing.balances() == {"1200": 11_000, "4000": -10_000, "2200": -1_000}
    assert await billing.types("accounting.invoice.") == ["accounting.invoice.created", "accounting.invoice.issued"]


async def test_the_invoices_of_an_order_add_up_to_it(billing: Billing) -> None:
    order = await billing.order(("7", 1_003, "0.1"), ("3", 333, "0.1"), ("5", 77, "0.08"))
    cuts = (("2", "1", "0"), ("3", "0", "4"), ("2", "2", "1"))
    shipments = [await billing.ship(order, *cut) for cut in cuts]
    invoices = [await billing.post("/invoices", shipment_ids=[str(each)]) for each in shipments]
    assert sum(each["net"] for each in invoices) == order.event.net
    assert sum(each["tax"] for each in invoices) == order.event.tax
    for invoice in invoices:
        issued = await billing.issue(invoice)
        assert sum(each["tax"] for each in issued["taxes"]) == issued["tax"]
    books = await billing.balances()
    assert "1210" not in books
    assert books["1200"] == order.event.net + order.event.tax
    assert (books["4000"], books["2200"]) == (-order.event.net, -order.event.tax)


async def test_a_shipment_is_on_one_invoice_until_its_draft_is_dropped(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    shipment = str(await billing.ship(order))
    draft = await billing.post("/invoices", shipment_ids=[shipment])
    refused = await billing.post("/invoices", 409, shipment_ids=[shipment])
    assert refused["type"].endswith("already-invoiced")
    assert (await billing.post("/invoices", 409, order_id=str(order.id)))["type"].endswith("nothing-to-invoice")
    assert (await billing.h.client.delete(f"/v1/accounting/invoices/{draft['id']}")).status_code == 204
    again = await billing.post("/invoices", customer_id=str(billing.ada))
    assert again["lines"][0]["shipment_id"] == shipment
    both = await asyncio.gather(
        *[billing.h.client.post("/v1/accounting/invoices", json={"order_id": str(order.id)}) for _ in range(3)]
    )
    assert {each.status_code for each in both} == {409}


async def test_of_several_who_invoice_a_shipment_at_once_one_does(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    shipment = str(await billing.ship(order))
    asked = [billing.h.client.post("/v1/accounting/invoices", json={"shipment_ids": [shipment]}) for _ in range(5)]
    answers = [each.status_code for each in await asyncio.gather(*asked)]
    assert sorted(answers) == [201, 409, 409, 409, 409]


async def test_numbers_have_no_gap_whoever_fails_and_whoever_is_first(billing: Billing) -> None:
    drafts = []
    for _ in range(6):
        order = await billing.order(("1", 500, "0.1"))
        shipment = await billing.ship(order, at=datetime.now(UTC) - timedelta(days=1))
        drafts.append(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    yesterday, before = [(today() - timedelta(days=days)).isoformat() for days in (1, 2)]
    early = await billing.post(f"/invoices/{drafts[0]['id']}/issue", 422, dated=before)
    assert [each["field"] for each in early["errors"]] == ["/dated"], "it left a day later"
    await billing.issue(drafts[0], dated=yesterday)
    ahead = await billing.post(
        f"/invoices/{drafts[1]['id']}/issue", 422, dated=(today() + timedelta(days=1)).isoformat()
    )
    assert ahead["type"].endswith("implausible-date")
    await asyncio.gather(*[billing.issue(each) for each in drafts[1:5]])
    refused = await billing.post(f"/invoices/{drafts[5]['id']}/issue", 409, dated=yesterday)
    assert refused["type"].endswith("out-of-order")
    last = await billing.issue(drafts[5])
    numbers = [(await billing.read(each))["number"] for each in drafts]
    assert sorted(numbers) == [f"INV-{today().year}-{number:05}" for number in range(1, 7)]
    assert last["number"] == f"INV-{today().year}-00006"


async def test_what_is_issued_does_not_change(billing: Billing) -> None:
    invoice = await billing.invoiced()
    for path, method in (("", "PUT"), ("", "DELETE"), ("/issue", "POST")):
        body = {"payment_terms_days": 1} if method == "PUT" else None
        said = await billing.h.client.request(method, f"/v1/accounting/invoices/{invoice['id']}{path}", json=body)
        assert (said.status_code, said.json()["type"]) == (409, "urn:tailrace:problem:invoice-state")
    await billing.customer(billing.ada, "C-1", "Ada Renamed", payment_terms_days=90)
    assert await billing.read(invoice) == invoice


async def test_an_invoice_sells_lines_of_its_own(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    fee = {"name": "Packing", "quantity": "2.5", "unit": "h", "unit_price": "999", "tax_rate": "0.1"}
    draft = await billing.post("/invoices", shipment_ids=[str(await billing.ship(order))], lines=[fee])
    assert (draft["net"], draft["tax"]) == (12_498, 1_250)
    changed = await billing.put(f"/invoices/{draft['id']}", payment_terms_days=7, lines=[{**fee, "quantity": "1"}])
    assert (changed["net"], changed["tax"], len(changed["lines"])) == (10_999, 1_100, 2)
    await billing.issue(changed)
    assert await billing.balances() == {"1200": 12_099, "4000": -10_999, "2200": -1_100}
    alone = await billing.post("/invoices", customer_id=str(billing.ada), lines=[fee])
    assert (await billing.issue(alone))["total"] == 2_748


async def test_an_invoice_is_of_one_customer_in_one_currency(billing: Billing) -> None:
    bob = await billing.customer(uuid7(), "C-2", "Bob Ltd")
    mine, theirs = await billing.order(("1", 100, "0.1")), await billing.order(("1", 100, "0.1"), customer_id=bob)
    shipments = [str(await billing.ship(each)) for each in (mine, theirs)]
    assert (await billing.post("/invoices", 422, shipment_ids=shipments))["type"].endswith("not-one-customer")
    named = await billing.order(("1", 100, "0.1"), customer_id=None, customer_name="Somebody")
    shipment = str(await billing.ship(named))
    draft = await billing.post("/invoices", shipment_ids=[shipment])
    assert (draft["customer_id"], draft["customer_name"], draft["payment_terms_days"]) == (None, "Somebody", 30)


async def test_a_merged_customers_shipments_are_the_others(billing: Billing) -> None:
    bob = await billing.customer(uuid7(), "C-2", "Bob Ltd")
    order = await billing.order(("1", 100, "0.1"), customer_id=bob)
    await billing.ship(order)
    await billing.h.deliver(
        CustomerMerged(customer_id=bob, into_customer_id=billing.ada, reason="same"), aggregate_id=bob
    )
    draft = await billing.post("/invoices", customer_id=str(billing.ada))
    assert (draft["customer_id"], draft["customer_name"], int(draft["net"])) == (str(billing.ada), "Ada Works", 100)


async def test_the_document_is_a_pdf(billing: Billing) -> None:
    invoice = await billing.invoiced(("10", 10_000, "0.1"), ("3", 333, "0.08"))
    made = await billing.h.client.get(f"/v1/accounting/invoices/{invoice['id']}/document")
    assert (made.status_code, made.content[:5]) == (200, b"%PDF-")
    assert f'filename="{invoice["number"]}.pdf"' in made.headers["content-disposition"]
