"""Invoices, payments, refunds and reminders on a chart of one's own: the books balance on the company's own codes, whatever those mean elsewhere."""

from datetime import timedelta
from typing import Any

import pytest
from billing import Billing

from tailrace_testing import today

from .test_charts import OWN

# What a company that invoices needs besides. 1200 and 2300 are codes of the general chart, too, with other meanings here.
CHART = (
    OWN.replace("1400,Receivables,asset,", "1400,Receivables,asset,receivable")
    + """1200,Bank in dollars,asset,
2300,Dividends,liability,
1710,Customers' credit,liability,customer_credit
1715,Unknown receipts,liability,unidentified_receipts
1718,Paid ahead,liability,prepayment
1590,Conversion,asset,exchange_clearing
2660,Rates,expense,exchange_differences
"""
)
NAMES = ("bank", "receivable", "unbilled", "credit", "unknown", "ahead", "tax", "revenue")
OURS = dict(zip(NAMES, ("1210", "1400", "1410", "1710", "1715", "1718", "1776", "8400"), strict=True))
FRENCH = dict(zip(NAMES, ("512", "411", "418", "4191", "471", "4197", "4457", "707"), strict=True))
FITTING = {"name": "Fitting", "quantity": "1", "unit_price": "1000", "tax_rate": "0.1"}
BEFORE = {"receivable": 3_300, "tax": -300, "revenue": -3_000}
"""An invoice that nobody pays, and that is reminded in the end."""


@pytest.mark.parametrize(("chart", "codes"), [({"csv": CHART}, OURS), ({"chart": "france"}, FRENCH)])
async def test_what_is_sold_paid_and_reminded_balances_on_the_companys_own_codes(
    billing: Billing, chart: dict[str, Any], codes: dict[str, str]
) -> None:
    await billing.put("/chart", **chart)

    async def books(**more: int) -> None:
        """Debits less credits since then, and of no other account. `balances` sees to it that the sub-ledgers agree."""
        expected = {name: BEFORE.get(name, 0) + more.get(name, 0) for name in NAMES}
        assert sum(expected.values()) == 0, "the test's own figures balance"
        assert await billing.balances() == {codes[name]: amount for name, amount in expected.items() if amount}

    late = (today() - timedelta(days=40)).isoformat()
    owed = await billing.invoiced(("1", 3_000, "0.1"), dated=late)
    await books()
    house = {"code": "HB", "name": "Bank", "currency": "EUR", "account": codes["bank"]}
    bank = str((await billing.post("/bank-accounts", **house))["id"])
    order = await billing.order(("10", 10_000, "0.1"))
    ahead = await billing.issue(await billing.post("/invoices", order_id=str(order.id), prepayment={"share": "0.2"}))
    await books(receivable=2_200, ahead=-2_200)
    await billing.pay(bank, 2_200, ahead)
    await books(bank=2_200, ahead=-2_000, tax=-200)
    shipment = str(await billing.ship(order))
    await books(bank=2_200, ahead=-2_000, unbilled=11_000, tax=-1_200, revenue=-10_000)
    invoice = await billing.issue(await billing.post("/invoices", shipment_ids=[shipment], lines=[FITTING]))
    assert (invoice["total"], invoice["open"]) == (12_100, 9_900)
    await books(bank=2_200, receivable=9_900, tax=-1_100, revenue=-11_000)
    # Too much for it, and something that nobody is known for.
    paid = await billing.pay(bank, 10_000, invoice)
    stray = await billing.pay(bank, 70)
    await books(bank=12_270, credit=-100, unknown=-70, tax=-1_100, revenue=-11_000)
    await billing.post(f"/payments/{stray['id']}/return", 200, reason="Not ours")
    await billing.post("/refunds", bank_account_id=bank, customer_id=str(billing.ada), reason="Paid too much")
    await books(bank=12_100, tax=-1_100, revenue=-11_000)
    line = {"line_id": invoice["lines"][1]["id"], "quantity": "1"}
    await billing.post(f"/invoices/{invoice['id']}/credit-notes", reason="Not fitted.", lines=[line])
    assert (await billing.get(f"/payments/{paid['id']}"))["unallocated"] == 1_100
    await books(bank=12_100, credit=-1_100, tax=-1_000, revenue=-10_000)
    level = {"days": 3, "fee": 500, "fee_currency": "EUR", "text": "Please pay."}
    await billing.put("/dunning-policy", levels=[level])
    assert (await billing.post("/dunning-notices", invoice_id=owed["id"]))["total"] == 3_800
    await books(bank=12_100, receivable=500, credit=-1_100, tax=-1_000, revenue=-10_500)
    totals = (await billing.get("/trial-balance"))["totals"]
    assert [each["difference"] for each in totals] == [0]
    assert (await billing.h.prove()).proven
