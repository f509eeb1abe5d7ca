"""Companies ready to trade: tenants, people, items, warehouses and opening stock, made through the gateway like everything else."""

import asyncio
from dataclasses import dataclass
from typing import Any

from mix.client import Session, User
from mix.plans import OPENING, Firm, Good

PASSWORD = "correct horse battery staple"


@dataclass
class Shop:
    """A firm with the ids that it was given."""

    firm: Firm
    number: int
    tenant_id: str
    admin: User
    people: list[User]
    items: list[str]
    warehouses: list[str]

    def somebody(self, number: int) -> User:
        return self.people[number % len(self.people)]


async def found(session: Session, operator: User, firm: Firm, number: int) -> Shop:
    email = f"admin@{firm.slug}.example"
    tenant = {
        "slug": firm.slug,
        "name": firm.slug,
        "currency": firm.currency,
        "admin": {"email": email, "name": "Administrator", "password": PASSWORD},
    }
    made = await operator.post("/v1/tenants", tenant, key=f"tenant/{firm.slug}")
    admin = await session.user(firm.slug, email, PASSWORD)
    people = [await _hire(session, admin, name) for name in firm.people]
    await admin.until("/v1/units", lambda page: any(unit["code"] == "pcs" for unit in page["items"]), what="units")
    items = [(await admin.post("/v1/items", item(good), key=f"item/{good.sku}"))["id"] for good in firm.goods]
    warehouses = [
        (await admin.post("/v1/warehouses", {"code": code, "name": code}, key=f"warehouse/{code}"))["id"]
        for code in firm.warehouses
    ]
    shop = Shop(firm, number, made["id"], admin, people, items, warehouses)
    await asyncio.gather(*[_open(shop, place) for place in range(len(items) * len(warehouses))])
    return shop


def item(good: Good) -> dict[str, Any]:
    return {
        "sku": good.sku,
        "name": good.sku.title(),
        "unit": "pcs",
        "tax_rate": good.tax,
        "valuation": good.valuation,
    }


async def _hire(session: Session, admin: User, name: str) -> User:
    email = f"{name}@{admin.tenant}.example"
    body = {"email": email, "name": name.title(), "password": PASSWORD, "roles": ["admin"]}
    await admin.post("/v1/auth/users", body, key=f"user/{name}")
    return await session.user(admin.tenant, email, PASSWORD)


async def _open(shop: Shop, place: int) -> None:
    good, warehouse = divmod(place, len(shop.warehouses))
    body = {
        "item_id": shop.items[good],
        "warehouse_id": shop.warehouses[warehouse],
        "quantity": str(OPENING),
        "value": OPENING * shop.firm.goods[good].cost,
        "currency": shop.firm.currency,
        "reason": "opening",
    }
    await shop.admin.post("/v1/inventory/receipts", body, key=f"opening/{good}/{warehouse}")
