"""Quotes at list prices, which need nobody's approval: some stay drafts or wait to be sent, some are declined, and many become orders."""

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from typing import Any

from tailrace_demo.client import User
from tailrace_demo.setup import Shop
from tailrace_demo.templates import maker_of

WORKERS = 3
MOST_LINES = 4
FATES = {"accepted": 35, "sent": 30, "declined": 15, "approved": 12, "draft": 8}
"""How far a quote comes, and how many of a hundred do."""


@dataclass(frozen=True)
class Offer:
    """A quote as it is going to be offered, and how far it comes."""

    number: int
    fate: str
    lines: list[dict[str, str]]


def offers(shop: Shop, count: int, seed: int) -> list[Offer]:
    """The same quotes for the same seed, of every fate one as soon as there are five."""
    dice = random.Random(f"{seed}/{shop.firm.slug}/offers")
    fates = [*FATES, *dice.choices([*FATES], weights=[*FATES.values()], k=max(0, count - len(FATES)))][:count]
    return [Offer(number, fate, _lines(shop, dice)) for number, fate in enumerate(fates)]


async def offer_all(shop: Shop, planned: list[Offer]) -> None:
    """Offer them, several at a time, by the shop's people in turn; then wait for the orders that were made of those accepted."""
    body = {
        "name": f"{shop.firm.customers[0]}, purchasing",
        "currency": shop.firm.currency,
        "price_list_id": shop.price_list,
        "custom_fields": maker.customer if (maker := maker_of(shop.firm)) is not None else {},
    }
    customer = (await shop.admin.post("/v1/customers", body, key="customer/offers"))["id"]
    queue, accepted = deque(planned), list[str]()

    async def work() -> None:
        while queue:
            offer = queue.popleft()
            quote_id = await _offer(shop, shop.sellers[offer.number % len(shop.sellers)], customer, offer)
            accepted.extend([quote_id] if offer.fate == "accepted" else [])

    async with asyncio.TaskGroup() as people:
        for _ in range(WORKERS):
            people.create_task(work())
    for quote_id in accepted:
        await shop.admin.until(f"/v1/orders?quote_id={quote_id}", _is_confirmed, what=f"the order of quote {quote_id}")


async def _offer(shop: Shop, seller: User, customer: str, offer: Offer) -> str:
    """The quote's id."""
    key = f"offer/{offer.number}"
    body = {"customer_id": customer, "warehouse_id": next(iter(shop.warehouses.values())), "lines": offer.lines}
    quote_id: str = (await seller.post("/v1/quotes", body, key=key))["id"]
    path = f"/v1/quotes/{quote_id}"
    if offer.fate == "draft":
        return quote_id
    await seller.post(f"{path}/submit", {}, key=f"{key}/submit")
    if offer.fate == "approved":
        return quote_id
    await seller.post(f"{path}/send", {}, key=f"{key}/send")
    if offer.fate == "declined":
        await seller.post(f"{path}/decline", {"reason": "bought elsewhere"}, key=f"{key}/decline")
    elif offer.fate == "accepted":
        said = {"accepted_by": "Goods inward", "customer_reference": f"RFQ-{offer.number:04}"}
        await seller.post(f"{path}/accept", said, key=f"{key}/accept")
    return quote_id


def _lines(shop: Shop, dice: random.Random) -> list[dict[str, str]]:
    """Of goods that differ, at what the list says."""
    goods = dice.sample(shop.firm.goods, k=min(dice.randint(1, MOST_LINES), len(shop.firm.goods)))
    return [
        {
            "item_id": shop.items[good.sku],
            "quantity": str(max(1, int(good.typical * dice.lognormvariate(0, 0.5)))),
            "discount_rate": "0",
        }
        for good in goods
    ]


def _is_confirmed(page: Any) -> bool:
    return bool(page["items"]) and page["items"][0]["status"] == "confirmed"
