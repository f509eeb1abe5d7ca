"""Customers whose profile is due to be asked about again are announced on the company's morning, each once."""

from contracts.customers import CustomerReviewDueReached
from contracts.users import TenantCreated
from customers import reviews
from tailrace_testing import SetClock

from .conftest import Sales

PROFILE = {"risk_tolerance": "balanced", "experience": "good", "objectives": ["growth"], "horizon_years": 10}


async def _due(sales: Sales, name: str, on: str) -> dict[str, object]:
    customer = await sales.create(name)
    await sales.put(customer, "/profile", **PROFILE, reviewed_on="2026-01-15", review_due_on=on)
    return customer


async def _morning(sales: Sales) -> None:
    await sales.h.make_timers_due()
    while await sales.h.fire_timers():
        pass


async def _announced(sales: Sales) -> list[str]:
    return [str(each.event.customer_id) for each in await sales.h.published(CustomerReviewDueReached)]


async def test_announced_once_on_the_companys_morning(sales: Sales, clock: SetClock) -> None:
    reviews.AT_ONCE, before = 2, reviews.AT_ONCE
    clock("2026-11-27T00:00Z")
    await sales.h.count_days_in("Asia/Tokyo")
    founded = TenantCreated(tenant_id=sales.h.tenant, slug="a", name="A", currency="JPY", time_zone="Asia/Tokyo")
    await sales.h.deliver(founded, aggregate_id=sales.h.tenant)
    await _morning(sales)
    due = [await _due(sales, f"Due {number}", "2026-11-28") for number in range(3)]
    await _due(sales, "Not yet", "2026-11-29")
    gone = await _due(sales, "Gone", "2026-11-28")
    await sales.h.client.delete(f"/v1/customers/{gone['id']}")
    # Six in the morning of the 28th in Tokyo is still the 27th elsewhere.
    clock("2026-11-27T20:59Z")
    await _morning(sales)
    assert await _announced(sales) == []
    clock("2026-11-27T21:00Z")
    await _morning(sales)
    assert sorted(await _announced(sales)) == sorted(str(each["id"]) for each in due)
    clock("2026-11-28T21:00Z")
    await _morning(sales)
    assert len(await _announced(sales)) == 4
    # Asked again, it is due again.
    await sales.put(due[0], "/profile", **PROFILE, reviewed_on="2026-11-28", review_due_on="2026-11-29")
    clock("2026-11-29T21:00Z")
    await _morning(sales)
    assert (await _announced(sales))[4:] == [str(due[0]["id"])]
    reviews.AT_ONCE = before
