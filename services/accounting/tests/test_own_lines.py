"""Lines that a person writes on an invoice: taxed by a tax code that the company has, at the rate of the day that the invoice is of."""

from datetime import date, timedelta
from typing import Any

import pytest
from billing import Billing
from settling import settle

from contracts.catalog import TaxCodeDeleted, UnitDeleted
from tailrace_testing import today

LONG_AGO = date(2020, 1, 1)


def lately() -> date:
    return today() - timedelta(days=3)


HOUR = {"name": "Fitting", "quantity": "2", "unit": "h", "unit_price": "5000"}


def faults(refused: dict[str, Any]) -> tuple[str, list[str]]:
    return refused["type"].removeprefix("urn:tailrace:problem:"), [each["field"] for each in refused["errors"]]


async def drafted(billing: Billing, *lines: dict[str, Any], status: int = 201) -> dict[str, Any]:
    said = [{**HOUR, **line} for line in lines]
    return await billing.post("/invoices", status, customer_id=str(billing.ada), lines=said)


async def test_a_tax_code_says_the_rate_in_whatever_spelling(billing: Billing) -> None:
    await billing.tax_code("Standard", (LONG_AGO, "0.19"))
    for said in ({"tax_code": "STANDARD"}, {"tax_code": "ｓtandard", "tax_rate": "0.190"}):
        draft = await drafted(billing, said)
        line = draft["lines"][0]
        assert (line["tax_code"], line["tax_rate"], draft["tax"]) == ("Standard", "0.19", 1_900)
    assert (await drafted(billing, {"tax_rate": "0.07"}))["tax"] == 700
    gone = await billing.tax_code("OLD", (LONG_AGO, "0.16"))
    await billing.h.deliver(TaxCodeDeleted(tax_code_id=gone, code="OLD"), aggregate_id=gone)
    await billing.tax_code("NEXT", (today() + timedelta(days=1), "0.2"))
    for said, field in (
        ({"tax_code": "NOWHERE"}, "tax_code"),
        ({"tax_code": "NOWHERE", "tax_rate": "0.19"}, "tax_code"),
        ({"tax_code": "old"}, "tax_code"),
        ({"tax_code": "NEXT"}, "tax_code"),
        ({"tax_code": "STANDARD", "tax_rate": "0.07"}, "tax_rate"),
        ({}, "tax_rate"),
    ):
        refused = await drafted(billing, {"tax_rate": "0"}, said, status=422)
        assert faults(refused) == ("invalid", [f"/lines/1/{field}"]), said
    changed = {"payment_terms_days": 7, "lines": [{**HOUR, "tax_code": "NOWHERE"}]}
    assert faults(await billing.put(f"/invoices/{draft['id']}", 422, **changed))[1] == ["/lines/0/tax_code"]


async def test_a_rate_that_changed_since_it_was_drafted_is_agreed_to(billing: Billing) -> None:
    code = await billing.tax_code("S", (LONG_AGO, "0.16"))
    order = await billing.order(("10", 10_000, "0.16"))
    own = [{**HOUR, "tax_code": "S"}, {**HOUR, "tax_rate": "0.05"}]
    draft = await billing.post("/invoices", shipment_ids=[str(await billing.ship(order))], lines=own)
    assert (draft["net"], draft["tax"]) == (30_000, 1_600 + 1_600 + 500)
    await billing.tax_code("S", (LONG_AGO, "0.16"), (lately(), "0.19"), id=code)
    at = f"/invoices/{draft['id']}/issue"
    refused = await billing.post(at, 409)
    assert faults(refused) == ("invoice-price-changed", ["/lines/1/tax_rate"])
    assert "0.19" in refused["errors"][0]["detail"] and "34000 now, 30000 and 4000 of tax" in refused["detail"]
    both = ["/expected_total", "/lines/1/tax_rate"]
    assert faults(await billing.post(at, 409, reprice=True, expected_total=33_700))[1] == both
    assert (await billing.read(draft))["tax"] == 3_700, "what was refused changed nothing"
    issued = await billing.issue(draft, reprice=True, expected_total=34_000)
    rates = [(line["tax_rate"], line["tax"]) for line in issued["lines"]]
    assert rates == [("0.16", 1_600), ("0.19", 1_900), ("0.05", 500)], "what left is taxed as it was ordered"
    assert await billing.balances() == {"1200": 34_000, "4000": -30_000, "2200": -4_000}
    # A credit note takes back what the invoice asked for, whatever the rate is by now.
    await billing.tax_code("S", (LONG_AGO, "0.16"), (lately(), "0.19"), (today(), "0.25"), id=code)
    line = {"line_id": issued["lines"][1]["id"], "quantity": "1"}
    note = await billing.post(f"/invoices/{issued['id']}/credit-notes", reason="One hour less.", lines=[line])
    assert (note["net"], note["tax"], note["lines"][0]["tax_rate"]) == (5_000, 950, "0.19")


async def test_the_rate_is_that_of_the_day_that_the_invoice_is_of(billing: Billing) -> None:
    await billing.tax_code("S", (LONG_AGO, "0.16"), (lately(), "0.19"))
    before = (lately() - timedelta(days=1)).isoformat()
    draft = await drafted(billing, {"tax_code": "S"})
    assert draft["tax"] == 1_900
    assert faults(await billing.post(f"/invoices/{draft['id']}/issue", 409, dated=before))[0] == "invoice-price-changed"
    issued = await billing.issue(draft, dated=before, reprice=True)
    assert (issued["dated"], issued["tax"]) == (before, 1_600)
    same = await billing.issue(await drafted(billing, {"tax_code": "S"}))
    assert same["tax"] == 1_900, "nothing changed, so nobody is asked"


@pytest.mark.parametrize("reprice", [False, True])
async def test_a_code_that_is_gone_taxes_nothing_more(billing: Billing, reprice: bool) -> None:
    code = await billing.tax_code("S", (LONG_AGO, "0.16"))
    draft = await drafted(billing, {"tax_rate": "0"}, {"tax_code": "S"})
    await billing.h.deliver(TaxCodeDeleted(tax_code_id=code, code="S"), aggregate_id=code)
    refused = await billing.post(f"/invoices/{draft['id']}/issue", 422, reprice=reprice)
    assert faults(refused) == ("invalid", ["/lines/1/tax_code"])
    await billing.tax_code("S", (LONG_AGO, "0.16"))
    assert (await billing.issue(draft))["tax"] == 1_600, "another one has that code by now"


async def test_a_fee_that_is_asked_for_by_itself_has_the_rate_of_its_day(billing: Billing) -> None:
    await billing.tax_code("S", (LONG_AGO, "0.16"), (lately(), "0.19"))
    order = await billing.order(("4", 400, "0"))
    shipment = await billing.ship(order)
    fees = [await settle(billing, order, shipment, "1", fee=100, fee_code=code) for code in ("s", "UNHEARD")]
    assert [each.fee for each in fees] == [119, 110]


async def test_a_total_that_was_seen_is_the_total(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    ahead = await billing.post("/invoices", order_id=str(order.id), prepayment={"share": "0.5"})
    refused = await billing.post(f"/invoices/{ahead['id']}/issue", 409, expected_total=5_000)
    assert faults(refused) == ("invoice-price-changed", ["/expected_total"])
    assert (await billing.issue(ahead, expected_total=5_500))["total"] == 5_500


async def test_what_an_invoice_sells_is_counted_as_finely_as_its_unit(billing: Billing) -> None:
    await billing.unit("pcs", 0)
    unit = await billing.unit("h", 2)
    fine = {"tax_rate": "0"}
    for said in ({"unit": "pcs", "quantity": "1.5"}, {"unit": "h", "quantity": "0.333"}):
        refused = await drafted(billing, fine, {**fine, **said}, status=422)
        assert faults(refused) == ("conversion-inexact", ["/lines/1/quantity"]), said
    # A word of one's own, and no unit at all, are no units of the company's.
    for words in (
        {"unit": "lump", "quantity": "0.333333"},
        {"unit": None, "quantity": "0.5"},
        {"unit": "h", "quantity": "1.25"},
    ):
        draft = await drafted(billing, {**fine, **words})
    changed = {"payment_terms_days": 7, "lines": [{**HOUR, **fine, "quantity": "1.255"}]}
    assert faults(await billing.put(f"/invoices/{draft['id']}", 422, **changed))[1] == ["/lines/0/quantity"]
    invoice = await billing.issue(draft)
    part = {"line_id": invoice["lines"][0]["id"], "quantity": "0.125"}
    at = f"/invoices/{invoice['id']}/credit-notes"
    refused = await billing.post(at, 422, reason="shorter", lines=[part])
    assert faults(refused) == ("conversion-inexact", ["/lines/0/quantity"])
    await billing.post(at, reason="shorter", lines=[{**part, "quantity": "0.25"}])
    # In pieces that came later under the same code, it is taken back as it was sold.
    await billing.h.deliver(UnitDeleted(unit_id=unit, code="h"), aggregate_id=unit)
    await billing.unit("h", 0)
    await billing.post(at, reason="not at all", lines=[{**part, "quantity": "1"}])
