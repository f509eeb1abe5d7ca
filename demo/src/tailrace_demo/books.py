"""What the platform says at the end, asked for through the gateway, beside what it must say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tailrace_demo.expected import Expected
from tailrace_demo.setup import Shop

INVENTORY, REVENUE, TAX, COST, RENT = "1400", "4000", "2200", "5000", "6000"
BANK, RECEIVABLE, UNBILLED, CREDIT = "1000", "1200", "1210", "2300"


@dataclass(frozen=True)
class Check:
    """One figure: what the platform says, and what it must be. A whole number is money unless it is `counted`."""

    name: str
    found: Any
    wanted: Any
    counted: bool = False

    @property
    def holds(self) -> bool:
        return bool(self.found == self.wanted)


async def settle(shop: Shop, figures: Expected) -> None:
    """Wait until the books have taken in everything that was dispatched."""

    def booked(trial: Any) -> bool:
        return -_balances(trial).get(REVENUE, 0) == figures.revenue

    await shop.admin.until(
        "/v1/accounting/trial-balance", booked, what=f"{shop.firm.name}'s revenue of {figures.revenue} in the books"
    )
    reserved = sum(
        1 for order in await shop.admin.every("/v1/orders", status="cancelled") if order["allocation"] != "none"
    )
    if reserved:
        await shop.admin.until(
            "/v1/orders?status=cancelled",
            lambda page: all(o["allocation"] == "none" for o in page["items"]),
            what="compensation",
        )


async def audit(shop: Shop, figures: Expected) -> list[Check]:
    """Every figure of one company that can be checked."""
    return [*await _trade(shop, figures), *(await _decided(shop, figures) if figures.quotes else [])]


async def _decided(shop: Shop, figures: Expected) -> list[Check]:
    """What became of quotes and journals that others had to decide."""
    quotes = await shop.admin.every("/v1/quotes")
    waited = await shop.admin.every("/v1/approvals")
    names = {user["id"]: user["email"].partition("@")[0] for user in await shop.admin.every("/v1/auth/users")}
    votes: Counter[str] = Counter()
    for each in waited:
        shown = await shop.admin.get(f"/v1/approvals/{each['id']}")
        votes.update(names[vote["user_id"]] for task in shown["tasks"] for vote in task["votes"])
    balances = _balances(await shop.admin.get("/v1/accounting/trial-balance"))
    return [
        Check("quotes by state", _states(quotes), _sorted(figures.quotes)),
        Check("approvals by state", _states(waited), _sorted(figures.approvals)),
        Check("decisions by person", _sorted(votes), _sorted(figures.decisions)),
        Check("rent, partly by approval", balances.get(RENT, 0), figures.rent),
        Check(
            "invoices by state", _states(await shop.admin.every("/v1/accounting/invoices")), _sorted(figures.invoices)
        ),
        Check("owed by customers", balances.get(RECEIVABLE, 0), figures.money["owed by customers"]),
        Check("left, not invoiced", balances.get(UNBILLED, 0), figures.money["left, not invoiced"]),
        Check("customers' credit", -balances.get(CREDIT, 0), figures.money["customers' credit"]),
        Check("bank", balances.get(BANK, 0), figures.money["received less paid back"] - figures.rent),
    ]


async def _trade(shop: Shop, figures: Expected) -> list[Check]:
    orders = await shop.admin.every("/v1/orders")
    trial = await shop.admin.get("/v1/accounting/trial-balance")
    stock = await shop.admin.every("/v1/inventory/stock")
    balances = _balances(trial)
    replayed = [
        await shop.admin.get(f"/v1/inventory/stock/{row['item_id']}/{row['warehouse_id']}/replay") for row in stock
    ]
    value = sum(row["value"] for row in stock)
    return [
        Check(
            "orders by state",
            _states(orders),
            _sorted(figures.orders),
        ),
        Check("stock levels = replay", sum(1 for r in replayed if r["equal"]), len(stock), counted=True),
        Check("inventory account = stock", balances.get(INVENTORY, 0), value),
        Check("stock + goods sold = opening", value + balances.get(COST, 0), figures.opening_value),
        Check("trial balance difference", sum(balances.values()), 0),
        Check("revenue", -balances.get(REVENUE, 0), figures.revenue),
        Check("output tax", -balances.get(TAX, 0), figures.tax),
        Check("net ordered", sum(order["net"] for order in orders), figures.net_ordered),
        Check(
            "units shipped",
            figures.opening_units - sum((Decimal(row["on_hand"]) for row in stock), Decimal(0)),
            figures.units_shipped,
        ),
    ]


def _states(rows: Any) -> dict[str, int]:
    return _sorted(Counter(row["status"] for row in rows))


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _balances(trial: Any) -> dict[str, int]:
    return {row["account"]: row["debit"] - row["credit"] for row in trial["rows"]}
