"""Credit notes: what is taken back, with the tax of each rate, never more than there was, and what was paid beyond the rest is free again."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing import Billing, beginning

from contracts import catalog
from contracts.users import TenantTimeZoneChanged
from tailrace.core.ids import uuid7
from tailrace.core.values.money import RoundingMode
from tailrace.core.values.taxes import TaxLevel
from tailrace_testing import SetClock, today


async def credited(billing: Billing, invoice: dict[str, Any], status: int = 201, /, **body: Any) -> dict[str, Any]:
    return await billing.post(f"/invoices/{invoice['id']}/credit-notes", status, **{"reason": "broken", **body})


async def test_a_whole_invoice_is_taken_back(billing: Billing) -> None:
    invoice = await billing.invoiced(("10", 10_000, "0.1"), ("7", 333, "0.08"))
    note = await credited(billing, invoice)
    assert (note["number"], note["net"], note["tax"]) == (f"CN-{today().year}-00001", invoice["net"], invoice["tax"])
    assert note["taxes"] == invoice["taxes"]
    now = await billing.read(invoice)
    assert (now["status"], now["open"], now["credited"]) == ("credited", 0, invoice["total"])
    assert await billing.balances() == {}
    assert (await credited(billing, invoice, 409))["type"] == "urn:tailrace:problem:invoice-state"


async def test_parts_of_an_invoice_add_up_to_it(billing: Billing) -> None:
    invoice = await billing.invoiced(("7", 1_003, "0.1"), ("3", 335, "0.1"), ("9", 77, "0.08"))
    first, second, third = (line["id"] for line in invoice["lines"])
    notes = [
        await credited(billing, invoice, lines=[{"line_id": first, "quantity": "2"}, {"line_id": second, "net": 5}]),
        await credited(
            billing, invoice, lines=[{"line_id": third, "quantity": "4"}, {"line_id": first, "quantity": "1"}]
        ),
        await credited(billing, invoice, lines=[{"line_id": second, "net": 1}]),
        await credited(billing, invoice),
    ]
    assert sum(int(str(note["net"])) for note in notes) == invoice["net"]
    assert sum(int(str(note["tax"])) for note in notes) == invoice["tax"]
    assert all(int(str(note["tax"])) >= 0 for note in notes)
    now = await billing.read(invoice)
    assert [line["credited_net"] for line in now["lines"]] == [line["net"] for line in now["lines"]]
    assert [line["credited_quantity"] for line in now["lines"]] == ["7", "3", "9"]
    assert await billing.balances() == {}


async def test_no_more_is_taken_back_than_there_was(billing: Billing) -> None:
    invoice = await billing.invoiced(("10", 10_000, "0.1"))
    line = invoice["lines"][0]["id"]
    await credited(billing, invoice, lines=[{"line_id": line, "quantity": "4"}])
    for part in ({"quantity": "6.5"}, {"net": 6_001}):
        said = await credited(billing, invoice, 409, lines=[{"line_id": line, **part}])
        assert said["type"] == "urn:tailrace:problem:too-much-credited"
    said = await credited(billing, invoice, 422, lines=[{"line_id": line, "quantity": "0.25"}])
    assert (said["type"], said["errors"][0]["field"]) == (
        "urn:tailrace:problem:conversion-inexact",
        "/lines/0/quantity",
    )
    await credited(billing, invoice, 422, lines=[{"line_id": line, "net": 1}, {"line_id": line, "net": 1}])
    await credited(billing, invoice, 422, lines=[{"line_id": invoice["id"], "net": 1}])
    await credited(billing, invoice, 422, dated=(today() - timedelta(days=1)).isoformat())
    at = f"/v1/accounting/invoices/{invoice['id']}/credit-notes"
    body = {"reason": "twice", "lines": [{"line_id": line, "quantity": "6"}]}
    both = await asyncio.gather(*[billing.h.client.post(at, json=body) for _ in range(3)])
    assert sorted(each.status_code for each in both) == [201, 409, 409]
    assert (await billing.read(invoice))["open"] == 0


async def test_what_was_paid_beyond_the_rest_is_the_customers_again(billing: Billing) -> None:
    bank = await billing.bank()
    invoice = await billing.invoiced(("10", 10_000, "0.1"))
    line = invoice["lines"][0]["id"]
    first = await billing.pay(bank, 6_000, invoice)
    second = await billing.pay(bank, 5_000, invoice)
    assert (await billing.read(invoice))["status"] == "paid"
    await credited(billing, invoice, lines=[{"line_id": line, "quantity": "3"}])
    now = await billing.read(invoice)
    assert (now["status"], now["paid"], now["credited"], now["open"]) == ("paid", 7_700, 3_300, 0)
    left = [(await billing.get(f"/payments/{each['id']}"))["unallocated"] for each in (first, second)]
    assert left == [0, 3_300], "the newest is given free first"
    books = await billing.balances()
    assert (books.get("1200", 0), books["2300"], books["4000"], books["2200"]) == (0, -3_300, -7_000, -700)
    types = await billing.types("accounting.invoice.")
    assert types[-4:] == [
        "accounting.invoice.reopened",
        "accounting.invoice.partly_paid",
        "accounting.invoice.credited",
        "accounting.invoice.paid",
    ]


async def test_a_credit_note_is_a_document(billing: Billing) -> None:
    invoice = await billing.invoiced(("10", 10_000, "0.1"))
    line = invoice["lines"][0]["id"]
    note = await credited(billing, invoice, lines=[{"line_id": line, "net": 500}])
    made = await billing.h.client.get(f"/v1/accounting/credit-notes/{note['id']}/document")
    assert (made.status_code, made.content[:5]) == (200, b"%PDF-")


async def round_by(billing: Billing, level: TaxLevel, mode: RoundingMode, *, since: date = date(2020, 1, 1)) -> None:
    """The company's policy, half up for each document before."""
    roundings = [
        catalog.DatedRounding(valid_from=date(2019, 1, 1), level="document", mode="half_up"),
        catalog.DatedRounding(valid_from=since, level=level, mode=mode),
    ]
    policy = catalog.TaxPolicyUpdated(tax_policy_id=uuid7(), roundings=roundings)
    await billing.h.deliver(policy, aggregate_id=policy.tax_policy_id)


async def test_a_company_that_rounds_down_does_so_in_what_it_takes_back_and_asks_for_ahead(billing: Billing) -> None:
    await round_by(billing, "document", "down")
    invoice = await billing.invoiced(("10", 1_000, "0.1"))
    line = invoice["lines"][0]["id"]
    notes = [await credited(billing, invoice, lines=[{"line_id": line, "net": net}]) for net in (555, 15)]
    assert [note["tax"] for note in notes] == [55, 2], "57 of 570 in all, and 55.5 of the first part"
    assert (await credited(billing, invoice))["tax"] == 100 - 57
    order = await billing.order(("10", 1_000, "0.1"))
    asked = await billing.post("/invoices", order_id=str(order.id), prepayment={"amount": 536})
    # 536 × 0.1 ÷ 1.1 is 48.7.
    assert (asked["net"], asked["tax"]) == (488, 48)
    rows = f"Number,Customer number,Dated,Due on,Currency,Open,Tax rate\nOLD-1,C-1,{today()},{today()},EUR,536,0.1\n"
    await billing.h.import_rows("/v1/accounting/open-invoices/import", rows)
    (taken_over,) = (await billing.get("/invoices", taken_over="true"))["items"]
    assert (taken_over["net"], taken_over["tax"]) == (488, 48)


async def test_two_tax_codes_of_one_rate_are_rounded_together_when_a_part_is_taken_back(billing: Billing) -> None:
    """The law knows rates, and no codes of ours: half a unit of each is one together, not one for each."""
    for code in ("GOODS", "WORK"):
        await billing.tax_code(code, (date(2020, 1, 1), "0.1"))
    lines = [{"name": code, "quantity": "1", "unit_price": "50", "tax_code": code} for code in ("GOODS", "WORK")]
    invoice = await billing.issue(await billing.post("/invoices", customer_id=str(billing.ada), lines=lines))
    assert (invoice["net"], invoice["tax"]) == (100, 10)
    note = await credited(billing, invoice, lines=[{"line_id": line["id"], "net": 5} for line in invoice["lines"]])
    assert (note["net"], note["tax"]) == (10, 1)
    assert (await credited(billing, invoice))["tax"] == 9
    assert await billing.balances() == {}


async def test_tax_is_rounded_as_on_the_invoices_day_whenever_it_was_drafted_or_is_taken_back(billing: Billing) -> None:
    """100 lines of 3 at 15 % come to 45 together, and to none one by one, rounded down."""
    lines, yesterday = [("1", 3, "0.15")] * 100, today() - timedelta(days=1)
    await round_by(billing, "line", "down", since=today())
    drafts = []
    for _ in range(2):
        shipment = await billing.ship(await billing.order(*lines), at=beginning(yesterday.isoformat()))
        drafts.append(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    assert [each["tax"] for each in drafts] == [0, 0]
    before = await billing.issue(drafts[0], dated=yesterday.isoformat())
    after = await billing.issue(drafts[1])
    assert (before["tax"], before["total"], sum(line["tax"] for line in before["lines"])) == (45, 345, 45)
    assert (after["tax"], after["total"]) == (0, 300)
    taken = [{"line_id": line["id"], "quantity": "1"} for line in before["lines"][:50]]
    note = await credited(billing, before, lines=taken)
    assert (note["net"], note["tax"]) == (150, 23), "half of 45, half up, as the invoice was"
    assert (await credited(billing, before))["tax"] == 22
    await credited(billing, after)
    assert await billing.balances() == {}


async def test_a_line_that_was_taxed_by_itself_is_taken_back_with_its_own_tax(billing: Billing) -> None:
    await round_by(billing, "line", "half_up")
    invoice = await billing.invoiced(("1", 10_000, "0.05"), *[("1", 10, "0.05")] * 20)
    assert invoice["tax"] == 500 + 20
    large, small = invoice["lines"][0]["id"], invoice["lines"][1]["id"]
    taken = [{"line_id": large, "net": 4_000}, {"line_id": small, "quantity": "1"}]
    note = await credited(billing, invoice, lines=taken)
    assert (note["net"], note["tax"]) == (4_010, 200 + 1)
    rest = await credited(billing, invoice)
    assert rest["tax"] == 520 - 201
    assert await billing.balances() == {}


async def test_what_is_given_free_is_free_from_when_it_came(billing: Billing) -> None:
    """The note is of an earlier day than the payment: on the days between, nothing was owed and nothing had come."""
    ago = {days: (today() - timedelta(days=days)).isoformat() for days in (10, 5, 3, 2)}
    bank = await billing.bank()
    invoice = await billing.invoiced(dated=ago[10])
    await billing.pay(bank, 11_000, invoice, value_day=ago[2])
    await credited(billing, invoice, dated=ago[5])
    await billing.h.pump()
    between = await billing.get("/receivables/ageing", day=ago[3])
    now = await billing.get("/receivables/ageing")
    assert between["rows"] == []
    assert [(row["open"], row["credit"]) for row in now["rows"]] == [(0, 11_000)]
    assert (await billing.balances()).keys() == {"1001", "2300"}


async def test_a_company_that_went_west_credits_what_it_invoiced_on_a_later_day(
    billing: Billing, clock: SetClock
) -> None:
    clock("2026-11-20T16:00:00Z")
    zone: dict[str, Any] = {"tenant_id": billing.h.tenant, "since": date(2026, 1, 1)}
    east = TenantTimeZoneChanged(**zone, time_zone="Asia/Tokyo")
    await billing.h.deliver(east, aggregate_id=billing.h.tenant)
    shipment = await billing.ship(
        await billing.order(("10", 10_000, "0.1")), at=datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    )
    invoice = await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    west = TenantTimeZoneChanged(**{**zone, "since": date(2026, 11, 20)}, time_zone="America/New_York")
    await billing.h.deliver(west, aggregate_id=billing.h.tenant)
    note = await credited(billing, invoice)
    assert (invoice["dated"], note["dated"]) == ("2026-11-21", "2026-11-21")
