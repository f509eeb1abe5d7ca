"""Goods leave and arrive on days that somebody can mean."""

from typing import Any

from ordered import Order

from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace_testing import SetClock


async def test_a_dispatch_may_be_entered_afterwards(order: Order, clock: SetClock) -> None:
    clock("2026-02-15T12:00:00Z")
    shipment = await order.shipment()
    sent = (await order.post(shipment, "dispatch", dispatched_at="2026-01-05T09:00:00+09:00")).json()
    assert sent["dispatched_at"] == "2026-01-05T00:00:00Z"


async def test_goods_leave_and_arrive_on_a_day_that_somebody_can_mean(order: Order, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    shipment = await order.shipment()
    refused = "urn:tailrace:problem:implausible-date"

    async def said(what: str, field: str, at: str) -> Any:
        answer = await order.post(shipment, what, **{field: at}, **({"signed_by": "T"} if what == "deliver" else {}))
        return answer.status_code if answer.status_code == 200 else answer.json()["type"]

    # A year ago at most, and a clock may be a little ahead.
    for at in ("1999-01-01T00:00:00Z", "2025-11-25T23:59:59Z", "2026-11-27T12:05:01Z"):
        assert await said("dispatch", "dispatched_at", at) == refused
    assert await said("dispatch", "dispatched_at", "2025-11-26T00:00:00Z") == 200
    clock("2026-12-24T12:00:00Z")
    for at in ("2025-12-01T00:00:00Z", "2026-12-25T00:00:00Z", "2199-01-01T00:00:00Z"):
        assert await said("deliver", "delivered_at", at) == refused
    assert await said("deliver", "delivered_at", "2026-12-24T12:04:00Z") == 200


async def test_a_company_says_how_long_ago_goods_may_have_left(order: Order, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    shipment, tenant = await order.shipment(), order.shipping.tenant
    policy = TenantDatePolicyChanged(tenant_id=tenant, bounds=[DateBounds(kind="movement", days_back=2)])
    await order.shipping.deliver(policy, aggregate_id=tenant)
    for at, status in (("2026-11-24T23:59:59Z", 422), ("2026-11-25", 200)):
        assert (await order.post(shipment, "dispatch", dispatched_at=at)).status_code == status
    policy = TenantDatePolicyChanged(tenant_id=tenant, bounds=[DateBounds(kind="movement", days_back=1)])
    await order.shipping.deliver(policy, aggregate_id=tenant)
    for at, status in (("2026-11-25T23:59:59Z", 422), ("2026-11-26T00:00:00Z", 200)):
        assert (await order.post(shipment, "deliver", delivered_at=at, signed_by="T")).status_code == status


async def test_a_plain_day_is_of_the_company_and_goods_arrive_after_they_left(order: Order, clock: SetClock) -> None:
    clock("2026-11-02T12:00:00+09:00")
    await order.shipping.count_days_in("Asia/Tokyo")

    async def left(at: str) -> Any:
        shipment = await order.shipment()
        sent = await order.post(shipment, "dispatch", dispatched_at=at)
        assert sent.status_code == 200, sent.text
        return shipment, sent.json()["dispatched_at"]

    async def arrived(shipment: Any, day: str) -> Any:
        answer = await order.post(shipment, "deliver", delivered_at=day, signed_by="T")
        return answer.json()["delivered_at"] if answer.status_code == 200 else answer.json()["errors"][0]["field"]

    shipment, at = await left("2026-11-01")
    assert (at, await arrived(shipment, "2026-11-02")) == ("2026-10-31T15:00:00Z", "2026-11-01T15:00:00Z")
    # Both on one day: it cannot have come before it left.
    shipment, at = await left("2026-11-02T09:00:00+09:00")
    assert await arrived(shipment, "2026-11-01") == "/delivered_at"
    assert await arrived(shipment, "2026-11-02") == at == "2026-11-02T00:00:00Z"
