"""Orders of realistic shape: most are small and shipped whole, some in parts; some are held, cancelled, left as drafts, or cannot be filled."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tailrace_demo.client import User
from tailrace_demo.setup import Shop

WORKERS = 4
FIRST_DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """One order as it is going to be placed, or as it is there already, and what becomes of it: whole, parts, hold, cancel, short or draft."""

    number: int
    body: dict[str, Any]
    fate: str
    made: dict[str, Any] | None = None


def plans(shop: Shop, count: int, seed: int) -> list[Plan]:
    """The same orders for the same seed."""
    dice = random.Random(f"{seed}/{shop.firm.slug}")
    fates = dice.choices(["whole", "parts", "hold"], weights=[76, 20, 4], k=count)
    fates[3], fates[7], fates[11] = "cancel", "short", "draft"
    return [Plan(number, _order(shop, dice, number, fate), fate) for number, fate in enumerate(fates)]


def _order(shop: Shop, dice: random.Random, number: int, fate: str) -> dict[str, Any]:
    lines = [_line(shop, dice) for _ in range(min(1 + int(dice.expovariate(0.6)), 6))]
    if fate == "short":
        lines[0]["quantity"] = str(10 * shop.firm.goods[0].opening + 1)
    if fate == "parts":
        lines[0]["quantity"] = str(max(2, int(lines[0]["quantity"])))
    return {
        "customer_reference": f"PO-{dice.randrange(10_000, 99_999)}",
        "customer_name": dice.choice(shop.firm.customers),
        "currency": shop.firm.currency,
        "ordered_at": (FIRST_DAY + timedelta(hours=number)).isoformat(),
        "lines": lines,
        # The one that is short waits as a whole, whatever the company's template lets leave in parts.
        "partial_allowed": False,
        "confirm": fate != "draft",
    }


def _line(shop: Shop, dice: random.Random) -> dict[str, Any]:
    good = dice.choice(shop.firm.goods)
    line = {
        "item_id": shop.items[good.sku],
        "warehouse_id": shop.warehouses[dice.choice(list(shop.warehouses))],
        "quantity": str(max(1, int(good.typical * dice.lognormvariate(0, 0.7)))),
    }
    if dice.random() < 0.3:
        discount = dice.choice(["0.95", "0.9", "0.875"])
        return {**line, "unit_price": _discounted(good.price, discount)}
    return {**line, "price_list_id": shop.price_list}


def _discounted(price: str, factor: str) -> str:
    from decimal import Decimal

    return format((Decimal(price) * Decimal(factor)).quantize(Decimal("0.000001")).normalize(), "f")


def moved_in(orders: Mapping[int, dict[str, Any]]) -> list[Plan]:
    """What becomes of orders that came by file, by the number of their row."""
    return [Plan(row, {}, "whole", order) for row, order in sorted(orders.items())]


async def trade(shop: Shop, planned: list[Plan], done: Callable[[], None]) -> None:
    """Carry out the plans, several at a time, by the shop's people in turn."""
    queue = iter(planned)

    async def work() -> None:
        for plan in queue:
            await _carry_out(shop, plan, shop.sellers[plan.number % len(shop.sellers)])
            done()

    async with asyncio.TaskGroup() as people:
        for _ in range(WORKERS):
            people.create_task(work())


async def _carry_out(shop: Shop, plan: Plan, seller: User) -> None:
    key = f"order/{plan.number}"
    order = plan.made or await seller.post("/v1/orders", plan.body, key=key)
    path = f"/v1/orders/{order['id']}"
    if plan.fate == "draft":
        return
    if plan.fate == "short":
        await seller.until(f"{path}/history", lambda h: h["state"] == "short", what=f"{path} to be found short")
        return
    if plan.fate == "hold":
        await seller.post(f"{path}/hold", {"reason": "credit check"}, key=f"{key}/hold")
        await seller.post(f"{path}/resume", {}, key=f"{key}/resume")
    shipments = (
        await seller.until(
            f"/v1/shipments?order_id={order['id']}", lambda page: page["items"], what=f"a shipment of {path}"
        )
    )["items"]
    if plan.fate == "cancel":
        await seller.post(f"{path}/cancel", {"reason": "customer withdrew"}, key=f"{key}/cancel")
        return
    first = min(shipments, key=lambda shipment: shipment["created_at"])
    await _ship(seller, order, first, plan, key)


async def _ship(seller: User, order: dict[str, Any], shipment: dict[str, Any], plan: Plan, key: str) -> None:
    path = f"/v1/shipments/{shipment['id']}"
    if plan.fate == "parts":
        share = {"line_id": _largest_line(order), "quantity": "1"}
        part = await seller.post(f"{path}/split", {"lines": [share]}, key=f"{key}/split")
        await seller.post(f"/v1/shipments/{part['id']}/dispatch", _label(plan, "A"), key=f"{key}/dispatch/part")
        if plan.number % 3 == 0:
            return  # the rest is still in the warehouse when the job ends
    await seller.post(f"{path}/dispatch", _label(plan, "B"), key=f"{key}/dispatch")
    if plan.number % 4 == 0:
        await seller.post(f"{path}/deliver", {"signed_by": "Goods inward", "note": "complete"}, key=f"{key}/deliver")


def _largest_line(order: dict[str, Any]) -> str:
    """The line of which one unit goes ahead: one that leaves something behind, the same on every run."""
    return str(max(order["lines"], key=lambda line: float(line["quantity"]))["id"])


def _label(plan: Plan, suffix: str) -> dict[str, str]:
    return {"tracking_number": f"TR{plan.number:06d}{suffix}"}
