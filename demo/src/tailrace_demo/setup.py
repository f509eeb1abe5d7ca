"""Master data and opening stock: tenants, people, units, items, warehouses, a price list, and the first receipts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tailrace_demo import templates
from tailrace_demo.client import Session, User
from tailrace_demo.companies import PASSWORD, Firm, Good
from tailrace_demo.moving_in import bring_goods

OPENED = "2026-01-01T00:00:00Z"
BOUGHT, SENT_BACK = 20, 5
"""Units of each good that are bought at what the opening stock cost, and how many of these go back to the supplier."""


@dataclass
class Shop:
    """A company that is ready to trade: its people, and its items and warehouses by code."""

    firm: Firm
    admin: User
    sellers: list[User]
    items: dict[str, str]
    warehouses: dict[str, str]
    price_list: str

    def good(self, sku: str) -> Good:
        return next(good for good in self.firm.goods if good.sku == sku)


async def found(session: Session, operator: User, firm: Firm, folder: Path | None = None) -> Shop:
    """Create the company, or find it as an earlier run left it. With a folder, its goods come in by files that are left there."""
    email = f"admin@{firm.slug}.example"
    tenant = {
        "slug": firm.slug,
        "name": firm.name,
        "currency": firm.currency,
        "industry": firm.industry,
        "time_zone": firm.time_zone,
        "admin": {"email": email, "name": "Administrator", "password": PASSWORD},
    }
    await operator.post("/v1/tenants", tenant, key=f"tenant/{firm.slug}")
    admin = await session.log_in(firm.slug, email, PASSWORD)
    sellers = [await hire(admin, name, ["sales", "warehouse"]) for name in firm.sellers]
    await admin.until(
        "/v1/units?limit=200",
        lambda page: {g.unit for g in firm.goods} <= {u["code"] for u in page["items"]},
        what="units",
    )
    await templates.choose(admin, firm)
    warehouses = {}
    for code, name in firm.warehouses:
        body = {"code": code, "name": name}
        warehouses[code] = (await admin.post("/v1/warehouses", body, key=f"warehouse/{code}"))["id"]
    items = await (_make_items(admin, firm) if folder is None else bring_goods(admin, firm, folder))
    prices = [{"item_id": items[g.sku], "unit_price": g.price, "min_quantity": "1"} for g in firm.goods]
    listing: dict[str, object] = {"code": "LIST", "name": "List prices", "currency": firm.currency, "prices": prices}
    price_list = (await admin.post("/v1/price-lists", listing, key="price-list"))["id"]
    shop = Shop(firm, admin, sellers, items, warehouses, price_list)
    if folder is None:
        await asyncio.gather(*[_receive(shop, good, code) for good in firm.goods for code in warehouses])
        await asyncio.gather(*[_buy(shop, good, firm.warehouses[0][0]) for good in firm.goods])
    return shop


async def hire(admin: User, name: str, roles: list[str]) -> User:
    """Somebody of the company with these roles, logged in."""
    email = f"{name}@{admin.tenant}.example"
    body = {"email": email, "name": name.title(), "password": PASSWORD, "roles": roles}
    await admin.post("/v1/auth/users", body, key=f"user/{name}")
    return await admin.session.log_in(admin.tenant, email, PASSWORD)


async def _make_items(admin: User, firm: Firm) -> dict[str, str]:
    made = maker.made if (maker := templates.maker_of(firm)) is not None else {}
    return {
        good.sku: (await admin.post("/v1/items", _item(good, made.get(good.sku, {})), key=f"item/{good.sku}"))["id"]
        for good in firm.goods
    }


def _item(good: Good, fields: Mapping[str, str]) -> dict[str, object]:
    """Not tracked, whatever the template wants of goods that do not say: a run is of thousands of orders, and nobody labels lots for them."""
    taxed = {"tax_rate": good.tax, "tracking": "none"}
    return {"sku": good.sku, "name": good.name, "unit": good.unit, **taxed, "custom_fields": fields}


async def _receive(shop: Shop, good: Good, warehouse: str) -> None:
    body = {
        "item_id": shop.items[good.sku],
        "warehouse_id": shop.warehouses[warehouse],
        "quantity": str(good.opening),
        "value": good.opening * good.cost,
        "currency": shop.firm.currency,
        "reason": "opening",
        "reference": "opening balance",
        "effective_at": OPENED,
    }
    await shop.admin.post("/v1/inventory/receipts", body, key=f"opening/{good.sku}/{warehouse}")


async def _buy(shop: Shop, good: Good, warehouse: str) -> None:
    place = {"item_id": shop.items[good.sku], "warehouse_id": shop.warehouses[warehouse]}
    value = {"value": BOUGHT * good.cost, "currency": shop.firm.currency}
    bought = {**place, **value, "quantity": str(BOUGHT), "reason": "purchase", "reference": "restocking"}
    receipt = await shop.admin.post("/v1/inventory/receipts", bought, key=f"bought/{good.sku}")
    back = {**place, "quantity": str(SENT_BACK), "reason": "return_to_supplier", "receipt_id": receipt["id"]}
    await shop.admin.post("/v1/inventory/issues", back, key=f"sent-back/{good.sku}")
