"""Shipments that were split become one again, and no quantity is lost or doubled, also with several at once."""

import asyncio
from collections import defaultdict
from decimal import Decimal
from typing import Any

from ordered import Order

from contracts.orders import OrderHeld
from contracts.shipments import ShipmentDispatched
from tailrace.core.ids import uuid7
from tailrace_testing import Harness


async def _sums(order: Order) -> dict[str, Decimal]:
    """Of what may still leave, by line."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for shipment in await order.shipments():
        for line in shipment["lines"] if shipment["status"] != "cancelled" else ():
            sums[line["line_id"]] += Decimal(line["quantity"])
    return dict(sums)


async def test_split_parts_merge_and_leave_as_one(order: Order, shipping: Harness) -> None:
    whole = {str(order.bolts): Decimal(10), str(order.flour): Decimal("2.5")}
    first = await order.shipment()
    await order.post(first, "pick", lines=order.some("2"))
    second = (await order.post(first, "split", lines=order.some("7", "2.5"))).json()["id"]
    third = (await order.post(second, "split", lines=order.some("3"))).json()["id"]
    await order.post(third, "pick")
    assert await _sums(order) == whole
    merged = (await order.post(first, "merge", shipment_id=third)).json()
    assert [(line["quantity"], line["picked"]) for line in merged["lines"]] == [("6", "5")]
    ended = await order.read(third)
    assert (ended["status"], ended["lines"], ended["reason"]) == ("cancelled", [], f"Merged into {merged['number']}.")
    merged = (await order.post(first, "merge", shipment_id=second)).json()
    found = {line["line_id"]: (line["quantity"], line["picked"]) for line in merged["lines"]}
    assert found == {str(order.bolts): ("10", "5"), str(order.flour): ("2.5", "0")}
    assert (await _sums(order), merged["status"]) == (whole, "picking")
    await order.post(first, "dispatch")
    (left,) = await shipping.published(ShipmentDispatched)
    lines = left.event.lines
    assert {str(line.line_id): (line.quantity, line.dispatched_before) for line in lines} == {
        id: (quantity, Decimal(0)) for id, quantity in whole.items()
    }


async def test_what_does_not_belong_together_stays_apart(order: Order, shipping: Harness) -> None:
    first = await order.shipment()
    second = (await order.post(first, "split", lines=order.some("4"))).json()["id"]
    other = await Order(shipping).shipment()

    async def refused(into: str, id: str) -> Any:
        answer = await order.post(into, "merge", shipment_id=id)
        return answer.status_code, answer.json()["type"].rpartition(":")[2]

    assert await refused(first, first) == await refused(first, other) == (409, "not-mergeable")
    assert await refused(first, str(uuid7())) == (422, "invalid")
    await order.post(second, "pick", lines=order.some("1"))
    await order.post(second, "packages", lines=order.some("1"))
    assert await refused(first, second) == (409, "not-mergeable")
    await order.hear(OrderHeld(order_id=order.id, reason="credit limit"))
    assert await refused(second, first) == (409, "shipment-held")


async def test_two_merges_at_once_lose_nothing(order: Order) -> None:
    first = await order.shipment()
    second = (await order.post(first, "split", lines=order.some("4"))).json()["id"]
    before = await _sums(order)
    answers = await asyncio.gather(
        order.post(first, "merge", shipment_id=second), order.post(second, "merge", shipment_id=first)
    )
    assert sorted(each.status_code for each in answers) == [200, 409]
    assert await _sums(order) == before
