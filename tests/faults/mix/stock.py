"""Carrying out jobs about stock and items: receipts, counts, transfers, reservations by hand, and items that are new or get another name."""

from typing import Any

from mix.client import User
from mix.plans import Job
from mix.setup import Shop, item

SCARCE, WANTED = 3, 9
"""Of a new item: units that come first, and units that are ordered."""
PRICE_OF_ONE, PRICE_FROM_FIVE = "1500.5", "1250.25"
_COST = 700


def _place(shop: Shop, job: Job) -> dict[str, str]:
    line = job.lines[0]
    return {"item_id": shop.items[line.good], "warehouse_id": shop.warehouses[line.warehouse]}


def _cost(shop: Shop, job: Job, item_id: str) -> int:
    return shop.firm.goods[job.lines[0].good].cost if item_id in shop.items else _COST


async def receive(shop: Shop, who: User, job: Job, *, item_id: str | None = None, quantity: int | None = None) -> None:
    place = {**_place(shop, job), **({} if item_id is None else {"item_id": item_id})}
    units = quantity or job.lines[0].quantity + WANTED
    body = {
        **place,
        "quantity": str(units),
        "value": units * _cost(shop, job, place["item_id"]),
        "currency": shop.firm.currency,
        "reason": "purchase",
    }
    await who.post("/v1/inventory/receipts", body, key=f"{job.number}/receive/{units}")


async def adjust(shop: Shop, who: User, job: Job) -> None:
    """A count finds less, or more at the present average."""
    sign = "-" if job.chance < 0.5 else ""
    body = {**_place(shop, job), "quantity": f"{sign}{job.lines[0].quantity}", "reason": "count"}
    await who.post("/v1/inventory/adjustments", body, key=f"{job.number}/adjust")


async def transfer(shop: Shop, who: User, job: Job) -> None:
    line = job.lines[0]
    body = {
        "item_id": shop.items[line.good],
        "from_warehouse_id": shop.warehouses[line.warehouse],
        "to_warehouse_id": shop.warehouses[1 - line.warehouse],
        "quantity": str(line.quantity),
    }
    await who.post("/v1/inventory/transfers", body, key=f"{job.number}/transfer")


async def _reserve(shop: Shop, who: User, job: Job, seconds: int | None) -> Any:
    lines = [
        {
            "item_id": shop.items[line.good],
            "warehouse_id": shop.warehouses[line.warehouse],
            "quantity": str(line.quantity),
        }
        for line in job.lines
    ]
    body = {"lines": lines, "expires_in_seconds": seconds}
    return await who.post("/v1/inventory/reservations", body, key=f"{job.number}/reserve")


async def reserve_and_release(shop: Shop, who: User, job: Job) -> None:
    made = await _reserve(shop, who, job, None)
    await who.post(f"/v1/inventory/reservations/{made['id']}/release", {"reason": "back"}, key=f"{job.number}/release")


async def reserve_for_a_moment(shop: Shop, who: User, job: Job) -> None:
    """Nobody gives it back: its time runs out, once, whoever is down just then."""
    made = await _reserve(shop, who, job, 1 + int(job.chance * 4))
    path = f"/v1/inventory/reservations/{made['id']}"
    await who.until(path, lambda seen: seen["status"] == "expired", what="a reservation to expire")


async def rename(shop: Shop, who: User, job: Job) -> None:
    good = shop.firm.goods[job.lines[0].good]
    body = {**item(good), "name": f"{good.sku} as of job {job.number}"}
    await who.write("PUT", f"/v1/items/{shop.items[job.lines[0].good]}", body, key=f"{job.number}/rename")


async def novelty(shop: Shop, who: User, job: Job) -> Any:
    """A new item with a price list of its own and too little stock, and an order for more."""
    good = shop.firm.goods[job.lines[0].good]
    fresh = {**item(good), "sku": f"NEW-{job.number}", "name": f"Novelty {job.number}"}
    item_id = (await who.post("/v1/items", fresh, key=f"{job.number}/item"))["id"]
    prices = [
        {"item_id": item_id, "unit_price": PRICE_OF_ONE, "min_quantity": "1"},
        {"item_id": item_id, "unit_price": PRICE_FROM_FIVE, "min_quantity": "5"},
    ]
    listing = {
        "code": f"LIST-{job.number}",
        "name": "Novelty",
        "currency": shop.firm.currency,
        "prices": prices,
    }
    price_list = (await who.post("/v1/price-lists", listing, key=f"{job.number}/prices"))["id"]
    await receive(shop, who, job, item_id=item_id, quantity=SCARCE)
    warehouse_id = _place(shop, job)["warehouse_id"]
    line = {"item_id": item_id, "warehouse_id": warehouse_id, "quantity": str(WANTED), "price_list_id": price_list}
    body = {
        "customer_reference": f"PO-{job.number}",
        "customer_name": "First customer",
        "currency": shop.firm.currency,
        "lines": [line],
        "confirm": True,
    }
    return await who.post("/v1/orders", body, key=f"{job.number}/order")
