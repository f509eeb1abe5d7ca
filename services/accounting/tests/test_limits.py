"""The largest amounts: one line and one document hold so much, what is more is refused by its field, and what comes by itself is parted."""

from datetime import timedelta
from typing import Any

import pytest
from billing import ISSUER, Billing, beginning

from tailrace_testing import Harness, today

MOST, DEAREST = 10**15, 10**12
V1 = "/v1/accounting"


def line(quantity: int, unit_price: int, tax_rate: str = "0") -> dict[str, Any]:
    said = {"quantity": str(quantity), "unit_price": str(unit_price)}
    return {"name": "Bridge", "tax_rate": tax_rate, **said}


def fields(refused: dict[str, Any]) -> list[str]:
    return [each["field"] for each in refused["errors"]]


TOO_MUCH = [
    ([line(1, 1), line(DEAREST - 1, DEAREST - 1)], "/lines/1/unit_price"),
    ([line(1000, DEAREST - 1), line(1, DEAREST - 1), line(1, DEAREST - 1)], "/lines"),
    ([line(1000, DEAREST - 1, "0.1")], "/lines"),
]


@pytest.mark.parametrize(("lines", "field"), TOO_MUCH)
async def test_an_invoice_holds_so_much(billing: Billing, lines: list[dict[str, Any]], field: str) -> None:
    most = [line(1000, DEAREST - 1), line(1, 1000)]
    draft = await billing.post("/invoices", customer_id=str(billing.ada), lines=most)
    assert draft["total"] == MOST
    assert fields(await billing.post("/invoices", 422, customer_id=str(billing.ada), lines=lines)) == [field]
    refused = await billing.put(f"/invoices/{draft['id']}", 422, payment_terms_days=7, lines=lines)
    assert fields(refused) == [field]
    assert (await billing.issue(draft))["open"] == MOST


async def test_orders_that_are_too_much_together_are_invoiced_one_by_one(billing: Billing) -> None:
    orders = [await billing.order(("1000", MOST // 2 + 1, "0")) for _ in range(2)]
    shipments = [str(await billing.ship(each)) for each in orders]
    assert fields(await billing.post("/invoices", 422, customer_id=str(billing.ada))) == ["/customer_id"]
    assert fields(await billing.post("/invoices", 422, shipment_ids=shipments)) == ["/shipment_ids"]
    fee = [line(1000, DEAREST - 1)]
    assert fields(await billing.post("/invoices", 422, order_id=str(orders[0].id), lines=fee)) == ["/order_id"]
    assert (await billing.post("/invoices", order_id=str(orders[0].id)))["net"] == MOST // 2 + 1


async def test_what_is_invoiced_by_itself_is_parted(billing: Billing) -> None:
    yesterday = today() - timedelta(days=1)
    await billing.put("/billing", mode="periodic", closing_day=yesterday.day, issues=True, issuer=ISSUER)
    for net in (MOST // 2, MOST // 2, 700):
        await billing.ship(await billing.order(("1000", net, "0")), at=beginning(yesterday.isoformat()))
    await billing.close(yesterday)
    made = (await billing.get("/invoices"))["items"]
    assert sorted((each["net"], each["status"]) for each in made) == [
        (MOST // 2, "issued"),
        (MOST // 2 + 700, "issued"),
    ]


async def test_what_is_paid_ahead_at_once_is_a_price(billing: Billing) -> None:
    order = await billing.order(("1000", 2 * DEAREST, "0"))
    for said in ({"share": "1"}, {"amount": DEAREST}):
        refused = await billing.post("/invoices", 422, order_id=str(order.id), prepayment=said)
        assert fields(refused) == [f"/prepayment/{next(iter(said))}"]
    assert (await billing.post("/invoices", order_id=str(order.id), prepayment={"amount": DEAREST - 1}))["net"] == (
        DEAREST - 1
    )


async def test_a_fee_is_a_price(billing: Billing) -> None:
    level = {"days": 3, "fee": DEAREST, "fee_currency": "EUR"}
    assert fields(await billing.put("/dunning-policy", 422, levels=[level])) == ["/levels/0/fee"]
    await billing.put("/dunning-policy", levels=[{**level, "fee": DEAREST - 1}])
    late = (today() - timedelta(days=40)).isoformat()
    owed = [await billing.invoiced(("1000", MOST // 2 + 1, "0"), dated=late) for _ in range(2)]
    notices = [await billing.post("/dunning-notices", invoice_id=owed[0]["id"]) for _ in range(2)]
    assert [each["open"] for each in notices] == [MOST // 2 + 1] * 2
    assert [each["fee"] for each in notices] == [DEAREST - 1] * 2


async def test_a_refund_holds_so_much(billing: Billing) -> None:
    bank = await billing.bank()
    paid = [await billing.pay(bank, MOST, customer_id=str(billing.ada)) for _ in range(2)]
    said = {"bank_account_id": bank, "reason": "Never ordered"}
    assert fields(await billing.post("/refunds", 422, customer_id=str(billing.ada), **said)) == ["/amount"]
    named = [{"payment_id": each["id"]} for each in paid]
    assert fields(await billing.post("/refunds", 422, payments=named, **said)) == ["/payments"]
    assert (await billing.post("/refunds", customer_id=str(billing.ada), amount=MOST, **said))["amount"] == MOST


async def test_a_journal_that_waits_for_an_approval_holds_so_much(accounting: Harness) -> None:
    limit = {"limits": [{"currency": "EUR", "amount": 1}]}
    assert (await accounting.client.put(f"{V1}/journal-limits", json=limit)).status_code == 200
    side = {"account": "6000", "currency": "EUR"}
    other = {"account": "1000", "currency": "EUR", "credit": MOST}
    lines = [{**side, "debit": MOST}, other]
    one = {"text": "Plant", "lines": lines}
    assert (await accounting.client.post(f"{V1}/journal-drafts", json=one)).status_code == 201
    two = {**one, "lines": lines * 2}
    refused = await accounting.client.post(f"{V1}/journal-drafts", json=two)
    assert (refused.status_code, fields(refused.json())) == (422, ["/lines"])


async def test_what_invoices_are_worth_more_by_a_days_rates_is_a_sum(billing: Billing) -> None:
    dollars = await billing.bank("USD")
    ago = {days: (today() - timedelta(days=days)).isoformat() for days in (9, 3, 2, 1)}
    for _ in range(2):
        order = await billing.order(("2000", MOST, "0"), currency="USD")
        draft = await billing.post("/invoices", shipment_ids=[str(await billing.ship(order, at=beginning(ago[9])))])
        owed = await billing.issue(draft, dated=ago[9])
    await billing.h.pump()
    for day, rate in ((9, "1"), (3, "2.5"), (1, "1000")):
        await billing.put("/rates", currency="USD", against="EUR", day=ago[day], rate=rate)
    made = await billing.post("/revaluations", day=ago[2])
    assert (made["difference"], made["lines"][0]["difference"]) == (3 * MOST, 3 * MOST)
    await billing.h.pump()
    on_day = await billing.get("/trial-balance", effective=ago[2], currency="EUR")
    assert {row["account"]: row["balance"] for row in on_day["rows"]} == {"1290": 3 * MOST, "5950": -3 * MOST}
    assert await billing.balances("EUR") == {}, "undone as the next day begins"
    assert fields(await billing.post("/revaluations", 422, day=ago[1])) == ["/day"]
    # Paid in full, it is worth more than an amount holds.
    paid = {"bank_account_id": dollars, "amount": MOST, "allocations": [{"invoice_id": owed["id"]}]}
    assert fields(await billing.post("/payments", 422, **paid)) == ["/allocations/0"]
