"""Carrying out jobs about orders: each from its first request to its last, whatever happens in between."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mix.client import TIMEOUT, User
from mix.plans import Job, Line
from mix.setup import Shop
from mix.stock import adjust, novelty, receive, rename, reserve_and_release, reserve_for_a_moment, transfer

LOOK_AGAIN = 20.0
"""Seconds after which somebody asks whether an order that has no shipment was found short, and has it allocated again."""
OPEN = {"pending", "picking", "picked", "packed"}


async def carry_out(shop: Shop, job: Job) -> None:
    """Raises RefusedError or TimeoutError when the job does not go as planned."""
    await _FATES[job.fate](shop, shop.somebody(job.number), job)


def order_body(shop: Shop, job: Job, lines: tuple[Line, ...] | None = None) -> dict[str, Any]:
    return {
        "customer_reference": f"PO-{job.number}",
        "customer_name": f"Customer {job.number % 97}",
        "currency": shop.firm.currency,
        "lines": [_line(shop, line) for line in (lines or job.lines)],
    }


def _line(shop: Shop, line: Line) -> dict[str, str]:
    return {
        "item_id": shop.items[line.good],
        "warehouse_id": shop.warehouses[line.warehouse],
        "quantity": str(line.quantity),
        "unit_price": shop.firm.goods[line.good].price,
    }


async def place(shop: Shop, who: User, job: Job) -> Any:
    """A confirmed order."""
    return await who.post("/v1/orders", {**order_body(shop, job), "confirm": True}, key=f"{job.number}/order")


async def shipment_of(who: User, order: Any, key: str) -> Any:
    """The order's shipment, as soon as there is one; an order that fell short because an answer took too long is allocated again."""
    attempt = 0
    looked = asyncio.get_running_loop().time()

    async def open_ones() -> list[Any]:
        page = await who.get("/v1/shipments", order_id=order["id"])
        return [shipment for shipment in page["items"] if shipment["status"] in OPEN]

    pause, began = 0.15, looked
    while not (found := await open_ones()):
        now = asyncio.get_running_loop().time()
        if now - began > 1200:
            raise TimeoutError(f"{who.tenant}: order {order['id']} has no shipment")
        if now - looked > LOOK_AGAIN:
            looked, attempt = now, attempt + 1
            await _allocate_again(who, order, f"{key}/allocate/{attempt}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 2.0)
    return found[0]


async def _allocate_again(who: User, order: Any, key: str) -> None:
    seen = await who.get(f"/v1/orders/{order['id']}")
    if seen["shortage"] and not seen["allocating"]:
        await who.write("POST", f"/v1/orders/{order['id']}/allocate", None, key=key, may_be_refused=True)


async def dispatch(who: User, shipment: Any, key: str) -> Any:
    """The reply, with the headers that name the event."""
    path = f"/v1/shipments/{shipment['id']}/dispatch"
    return await who.write("POST", path, {"tracking_number": f"T-{key}"}, key=f"{key}/dispatch")


async def _ship(who: User, job: Job, order: Any) -> None:
    shipment = await shipment_of(who, order, f"{job.number}")
    await dispatch(who, shipment, f"{job.number}")
    if job.chance < 0.25:
        await who.post(
            f"/v1/shipments/{shipment['id']}/deliver", {"signed_by": "Goods inward"}, key=f"{job.number}/deliver"
        )


async def _split(who: User, job: Job, order: Any) -> tuple[Any, Any]:
    """One unit of the first line goes into a shipment of its own: the rest, and the part."""
    shipment = await shipment_of(who, order, f"{job.number}")
    part = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": "1"}]}
    return shipment, await who.post(f"/v1/shipments/{shipment['id']}/split", part, key=f"{job.number}/split")


async def _decide(who: User, order: Any, what: str, job: Job) -> Any:
    body = {"reason": "because"} if what in {"hold", "cancel"} else None
    return await who.post(f"/v1/orders/{order['id']}/{what}", body, key=f"{job.number}/{what}")


async def whole(shop: Shop, who: User, job: Job) -> None:
    await _ship(who, job, await place(shop, who, job))


async def probe(shop: Shop, job: Job) -> None:
    """A whole order; returns when orders, inventory and accounting show that it has left."""
    who = shop.somebody(job.number)
    order = await place(shop, who, job)
    left = await dispatch(who, await shipment_of(who, order, f"{job.number}"), f"{job.number}")
    after = left.headers["tailrace-event"]
    line = order["lines"][0]
    for path in (
        f"/v1/orders/{order['id']}",
        f"/v1/inventory/stock/{line['item_id']}/{line['warehouse_id']}",
        "/v1/accounting/trial-balance",
    ):
        await who.get(path, after=after)


async def parts(shop: Shop, who: User, job: Job) -> None:
    rest, part = await _split(who, job, await place(shop, who, job))
    await dispatch(who, part, f"{job.number}/part")
    await dispatch(who, rest, f"{job.number}/rest")


async def rest_stays(shop: Shop, who: User, job: Job) -> None:
    _, part = await _split(who, job, await place(shop, who, job))
    await dispatch(who, part, f"{job.number}/part")


async def rest_cancelled(shop: Shop, who: User, job: Job) -> None:
    order = await place(shop, who, job)
    _, part = await _split(who, job, order)
    await dispatch(who, part, f"{job.number}/part")
    await _decide(who, order, "cancel", job)


async def held_for_a_while(shop: Shop, who: User, job: Job) -> None:
    order = await place(shop, who, job)
    await _decide(who, order, "hold", job)
    await _decide(who, order, "resume", job)
    shipment = await shipment_of(who, order, f"{job.number}")
    await who.until(
        f"/v1/shipments/{shipment['id']}/pick-list", lambda seen: not seen["held"], what="a shipment to be let go"
    )
    # The hold travels, as the resumption does: it may come only now.
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    while (await _try_dispatch(who, shipment, job)).status == 409:
        assert asyncio.get_running_loop().time() < deadline, f"shipment {shipment['id']} stays held"
        await asyncio.sleep(0.3)


async def _try_dispatch(who: User, shipment: Any, job: Job) -> Any:
    path = f"/v1/shipments/{shipment['id']}/dispatch"
    return await who.write("POST", path, {}, key=f"{job.number}/dispatch", may_be_refused=True)


async def left_on_hold(shop: Shop, who: User, job: Job) -> None:
    order = await place(shop, who, job)
    await shipment_of(who, order, f"{job.number}")
    await _decide(who, order, "hold", job)


async def cancelled_at_once(shop: Shop, who: User, job: Job) -> None:
    await _decide(who, await place(shop, who, job), "cancel", job)


async def cancelled_late(shop: Shop, who: User, job: Job) -> None:
    order = await place(shop, who, job)
    await shipment_of(who, order, f"{job.number}")
    await _decide(who, order, "cancel", job)


async def cancelled_while_leaving(shop: Shop, who: User, job: Job) -> None:
    """Two people at once: the answers say who was first, or that both were in time."""
    order = await place(shop, who, job)
    shipment = await shipment_of(who, order, f"{job.number}")
    other = shop.somebody(job.number + 1)
    cancel = other.write(
        "POST",
        f"/v1/orders/{order['id']}/cancel",
        {"reason": "in the last moment"},
        key=f"{job.number}/cancel",
        may_be_refused=True,
    )
    await asyncio.gather(_try_dispatch(who, shipment, job), cancel)


async def draft(shop: Shop, who: User, job: Job) -> None:
    await who.post("/v1/orders", order_body(shop, job), key=f"{job.number}/order")


async def dropped(shop: Shop, who: User, job: Job) -> None:
    order = await who.post("/v1/orders", order_body(shop, job), key=f"{job.number}/order")
    await who.write("DELETE", f"/v1/orders/{order['id']}", None, key=f"{job.number}/drop")


async def changed(shop: Shop, who: User, job: Job) -> None:
    order = await who.post("/v1/orders", order_body(shop, job), key=f"{job.number}/order")
    more = tuple(Line(line.good, line.warehouse, line.quantity + 1) for line in job.lines)
    path = f"/v1/orders/{order['id']}"
    order = (await who.write("PUT", path, order_body(shop, job, more), key=f"{job.number}/change")).body
    await _decide(who, order, "confirm", job)
    await _ship(who, job, order)


async def picked(shop: Shop, who: User, job: Job) -> None:
    order = await place(shop, who, job)
    shipment = await shipment_of(who, order, f"{job.number}")
    path = f"/v1/shipments/{shipment['id']}"
    await who.post(f"{path}/pick", {}, key=f"{job.number}/pick")
    contents = [{"line_id": line["line_id"], "quantity": line["quantity"]} for line in shipment["lines"]]
    await who.post(f"{path}/packages", {"lines": contents, "weight_grams": 900}, key=f"{job.number}/pack")
    await dispatch(who, shipment, f"{job.number}")


async def new_item(shop: Shop, who: User, job: Job) -> None:
    """Something new, of which there is too little at first."""
    order = await novelty(shop, who, job)
    await who.until(f"/v1/orders/{order['id']}", lambda seen: seen["shortage"], what="a shortage")
    if job.fate == "novelty":
        await receive(shop, who, job, item_id=order["lines"][0]["item_id"])
        await _decide(who, order, "allocate", job)
        await _ship(who, job, order)


_FATES: dict[str, Callable[[Shop, User, Job], Awaitable[None]]] = {
    "whole": whole,
    "parts": parts,
    "rest stays": rest_stays,
    "rest cancelled": rest_cancelled,
    "held for a while": held_for_a_while,
    "left on hold": left_on_hold,
    "cancelled at once": cancelled_at_once,
    "cancelled late": cancelled_late,
    "cancelled while leaving": cancelled_while_leaving,
    "draft": draft,
    "dropped": dropped,
    "changed": changed,
    "picked": picked,
    "novelty": new_item,
    "short": new_item,
    "receipt": receive,
    "adjustment": adjust,
    "transfer": transfer,
    "given back": reserve_and_release,
    "expiring": reserve_for_a_moment,
    "renamed": rename,
}
