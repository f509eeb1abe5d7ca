"""What is invoiced by itself: with each shipment, or on the day after the closing day of a customer, once whatever comes twice."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from billing import ISSUER, Billing

from accounting.invoices.schedules import closes_on
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock, today


async def invoices(billing: Billing) -> list[dict[str, Any]]:
    return list((await billing.get("/invoices"))["items"])


async def test_by_default_nothing_is_invoiced_by_itself(billing: Billing) -> None:
    await billing.ship(await billing.order(("1", 100, "0.1")))
    assert await invoices(billing) == []


async def test_each_shipment_is_invoiced_where_that_is_the_policy(billing: Billing) -> None:
    await billing.put("/billing", mode="per_shipment", issues=True, number_prefix="R", issuer=ISSUER)
    order = await billing.order(("10", 10_000, "0.1"))
    await billing.ship(order, "4")
    await billing.ship(order)
    made = await invoices(billing)
    assert sorted((each["number"], each["total"]) for each in made) == [
        (f"R-{today().year}-00001", 4_400),
        (f"R-{today().year}-00002", 6_600),
    ]
    assert await billing.balances() == {"1200": 11_000, "4000": -10_000, "2200": -1_000}


async def test_a_customer_may_have_terms_of_its_own(billing: Billing) -> None:
    bob = await billing.customer(uuid7(), "C-2", "Bob Ltd")
    await billing.put(f"/billing/customers/{bob}", mode="per_shipment")
    await billing.ship(await billing.order(("1", 100, "0.1")))
    await billing.ship(await billing.order(("1", 200, "0.1"), customer_id=bob))
    (made,) = await invoices(billing)
    assert (made["customer_id"], made["status"], made["net"]) == (str(bob), "draft", 200)
    await billing.put(f"/billing/customers/{uuid7()}", 404, mode="manual")


@pytest.mark.parametrize(
    ("day", "closing_day", "closes"),
    [
        (date(2026, 2, 28), 31, True),
        (date(2026, 2, 27), 31, False),
        (date(2028, 2, 28), 31, False),
        (date(2028, 2, 29), 30, True),
        (date(2026, 4, 30), 31, True),
        (date(2026, 1, 20), 20, True),
        (date(2026, 1, 31), 20, False),
    ],
)
def test_a_month_closes_on_its_last_day_when_it_is_too_short(day: date, closing_day: int, closes: bool) -> None:
    assert closes_on(day, closing_day) is closes


async def test_all_that_left_by_the_closing_day_is_on_one_invoice(billing: Billing) -> None:
    yesterday = today() - timedelta(days=1)
    await billing.put("/billing", mode="periodic", closing_day=yesterday.day, issues=True, issuer=ISSUER)
    noon = datetime.combine(yesterday, datetime.min.time(), UTC) + timedelta(hours=12)
    for net in (100, 200):
        await billing.ship(await billing.order(("1", net, "0.1")), at=noon)
    yen = await billing.order(("1", 300, "0.1"), currency="JPY")
    await billing.ship(yen, at=noon)
    await billing.ship(await billing.order(("1", 999, "0.1")), at=datetime.now(UTC))
    for _ in range(2):
        await billing.close(yesterday)
    made = await invoices(billing)
    assert sorted((each["currency"], each["net"], each["status"]) for each in made) == [
        ("EUR", 300, "issued"),
        ("JPY", 300, "issued"),
    ]


async def test_a_closing_day_that_ended_while_nothing_ran_is_invoiced(billing: Billing, clock: SetClock) -> None:
    clock("2026-10-31T12:00:00Z")
    await billing.put("/billing", mode="periodic", closing_day=31, issues=True, issuer=ISSUER)
    await billing.h.make_timers_due()
    await billing.h.fire_timers()
    await billing.ship(await billing.order(("1", 100, "0.1")), at=datetime(2026, 10, 31, 11, tzinfo=UTC))
    await billing.ship(await billing.order(("1", 200, "0.1")), at=datetime(2026, 11, 1, 11, tzinfo=UTC))
    # From 23:00 on 31 October to 00:40 on 2 November.
    clock("2026-11-02T00:40:00Z")
    for _ in range(2):
        await billing.h.make_timers_due()
        await billing.h.fire_timers()
    assert [(each["net"], each["status"]) for each in await invoices(billing)] == [(100, "issued")]
