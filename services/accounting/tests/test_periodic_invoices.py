"""Two closing days of a customer who buys goods and services in two currencies, on several terms of payment: what is on which invoice."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from billing import ISSUER, Billing
from peppol import findings
from performing import perform

from tailrace_testing import today

BUYER = "9957:FR32123456789"


async def close(billing: Billing, day: date) -> list[dict[str, Any]]:
    """The night after a closing day, which comes twice; all invoices that there are by then, the earliest first."""
    await billing.put("/billing", mode="periodic", closing_day=day.day, issues=True, number_prefix="R", issuer=ISSUER)
    for _ in range(2):
        await billing.close(day)
    return sorted((await billing.get("/invoices"))["items"], key=lambda each: str(each["number"]))


def ensure_gap_free(invoices: list[dict[str, Any]]) -> None:
    """Each year counts from one."""
    counted: dict[str, int] = {}
    for each in invoices:
        _, year, count = each["number"].split("-")
        counted[year] = counted.get(year, 0) + 1
        assert int(count) == counted[year], [one["number"] for one in invoices]


def terms(invoices: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    """Currency, days to pay, net and tax of each."""
    return sorted(
        (
            each["currency"],
            (date.fromisoformat(each["due_on"]) - date.fromisoformat(each["dated"])).days,
            each["net"],
            each["tax"],
        )
        for each in invoices
    )


async def test_each_closing_day_has_an_invoice_per_currency_and_terms_and_all_keep_the_rules(billing: Billing) -> None:
    await billing.put(f"/billing/customers/{billing.ada}", electronic_address=BUYER)
    await billing.bank(iban="DE89370400440532013000")
    await billing.bank("JPY")
    first, second = today() - timedelta(days=2), today() - timedelta(days=1)
    at = {day: datetime.combine(day, time(12), UTC) for day in (first, second)}
    both = await billing.order(("7", 1_003, "0.19"), ("8", 72_001, "0.19"), ("3", 335, "0.07"))
    late = await billing.order(("2", 5_000, "0.19"), payment_terms_days=30)
    yen = await billing.order(("7", 1_003, "0.1"), ("3", 335, "0.08"), currency="JPY")

    await billing.ship(both, "2", "0", "1", at=at[first])
    await perform(billing, both, "3", 1, at=at[first])
    await billing.ship(both, "1", "0", "0", at=at[first])
    await billing.ship(yen, "0", "1", at=at[first])
    await perform(billing, yen, "2", 0, at=at[first])
    await billing.ship(late, at=at[first])
    await billing.ship(both, "4", "0", "2", at=at[second])
    await perform(billing, both, "5", 1, at=at[second])
    await perform(billing, yen, "5", 0, at=at[second])

    # 3/7 of 1,003, 3/8 of 72,001 and 1/3 of 335: 430, 27,000 (down from 27,000.375) and 112. Their tax is 19 % of 27,430, and 7 % of 112.
    one = await close(billing, first)
    eur = ("EUR", 14, 430 + 27_000 + 112, 5_212 + 8)
    # 2/7 of 1,003 and 1/3 of 335: 287 and 112, at 10 % and 8 %.
    assert terms(one) == [eur, ("EUR", 30, 5_000, 950), ("JPY", 14, 287 + 112, 29 + 9)]
    ensure_gap_free(one)

    both_days = await close(billing, second)
    two = [each for each in both_days if each["id"] not in {old["id"] for old in one}]
    # What is left of each line, to the minor unit.
    rest = ("EUR", 14, 573 + 45_001 + 223, 8_659 + 16)
    assert terms(two) == [rest, ("JPY", 14, 716, 72)]
    ensure_gap_free(both_days)

    lines = [await billing.read(each) for each in both_days]
    ways = sorted(
        (sum(line["shipment_id"] is not None for line in each["lines"]), len(each["lines"])) for each in lines
    )
    assert ways == [(0, 1), (1, 1), (1, 2), (2, 3), (3, 4)], "parts of shipments, and all parts with those of services"
    for each in both_days:
        made = await billing.h.client.get(f"/v1/accounting/invoices/{each['id']}/ubl")
        assert findings(made.content) == [], each["number"]
    # All that was supplied is owed, and nothing is left to invoice: net and tax of the orders, but for the tax of each invoice rounded by itself.
    nets, taxes = (sum(each[name] for each in both_days if each["currency"] == "EUR") for name in ("net", "tax"))
    assert (nets, taxes) == (1_003 + 72_001 + 335 + 5_000, 5_220 + 950 + 8_675)
    assert await billing.balances() == {"1200": nets + taxes, "4000": -nets, "2200": -taxes}
