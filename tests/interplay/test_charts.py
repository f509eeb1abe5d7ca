"""A company's whole trade on a chart of its own: receipt, order, reservation, shipment, journal, closing and the year's end, on the company's codes.

What the books must say is computed here, from what was asked, and by codes that are written down a second time.
"""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from trade import Trade
from wire import Wire

from accounting.service import service as accounting
from contracts.users import TenantCreated
from inventory.service import service as inventory
from orders.service import service as orders
from shipping.service import service as shipping
from tailrace.core.ids import uuid7
from tailrace.core.values.days import DEFAULT_ZONE
from tailrace_testing import MakeHarness

V1 = "/v1/accounting"

# 1210, 1400, 2200 and 4000 are accounts of the general chart too, and mean other things here.
OWN = """code,name,kind,role
1210,Bank,asset,
1400,Receivables,asset,
1410,Delivered and not billed,asset,unbilled_receivable
1605,Received and not billed,liability,goods_received_not_invoiced
1776,Tax on sales,liability,output_tax
2200,Income tax,expense,
0860,Carried forward,equity,retained_earnings
3200,Cost of goods,expense,cost_of_goods_sold
3980,Goods,asset,inventory
4000,Materials,expense,
4990,Used up,expense,stock_usage
8400,Sales,revenue,revenue
8900,Differences,revenue,stock_adjustments
8970,Price differences,expense,purchase_price_variance
8980,Production,revenue,production_clearing
9000,Brought forward,equity,opening_equity
"""
CHOICES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "own": (
        {"csv": OWN},
        {
            "stock": "3980",
            "not invoiced": "1605",
            "opening": "9000",
            "unbilled": "1410",
            "tax": "1776",
            "sales": "8400",
            "cost": "3200",
            "usage": "4990",
            "differences": "8900",
            "result": "0860",
            "bank": "1210",
            "rent": "4000",
        },
    ),
    "france": (
        {"chart": "france"},
        {
            "stock": "37",
            "not invoiced": "408",
            "opening": "890",
            "unbilled": "418",
            "tax": "4457",
            "sales": "707",
            "cost": "6037",
            "usage": "6032",
            "differences": "6037",
            "result": "120",
            "bank": "512",
            "rent": "613",
        },
    ),
}
CHOICES["founded in France"] = ({"founded": "france"}, CHOICES["france"][1])


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


class Company(Trade):
    """One item in one warehouse, whose every request is noted by what it means for the books."""

    @classmethod
    async def found(cls, make_harness: MakeHarness, chart: dict[str, str]) -> "Company":
        services = {s.name: await make_harness(s) for s in (orders, inventory, shipping, accounting)}
        tenant = uuid7()
        for service in services.values():
            service.tenant = tenant
            service.client = service.client_as()
            await service.count_days_in(DEFAULT_ZONE)
        dice = random.Random(1)
        company = cls(services, dice, Wire(services, dice), racing=False)
        if "founded" in chart:
            joined = TenantCreated(tenant_id=tenant, slug="m", name="M", currency="EUR", chart=chart["founded"])
            await services["accounting"].deliver(joined, aggregate_id=tenant)
        else:
            answer = await services["accounting"].client.put(f"{V1}/chart", json=chart)
            assert answer.status_code == 200, answer.text
        company.items[await company._item("BOLT", "fifo", "refused")] = "EUR"
        await company._unit("pcs")
        company.warehouses.append(await company._warehouse("N"))
        return company

    @property
    def there(self) -> dict[str, Any]:
        (item,), (warehouse,) = self.items, self.warehouses
        return {"item_id": item, "warehouse_id": warehouse}

    async def done(self, service: str, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.post(service, path, body)
        assert answer is not None, f"{path} {body}"
        await self.wire.settle()
        return answer

    async def receives(self, quantity: int, value: int, reason: str) -> None:
        body = {**self.there, "quantity": str(quantity), "value": value, "currency": "EUR", "reason": reason}
        await self.done("inventory", "/v1/inventory/receipts", **body, effective_at=days_ago(60))

    async def sells(self, quantity: int, price: int, left: str) -> None:
        line = {**self.there, "quantity": str(quantity), "unit_price": str(price)}
        body = {"customer_reference": "C", "customer_name": "S", "currency": "EUR", "confirm": True, "lines": [line]}
        order = await self.done("orders", "/v1/orders", **body)
        (shipment,) = [one for one in await self.shipments("pending") if one["order_id"] == order["id"]]
        await self.done("shipping", f"/v1/shipments/{shipment['id']}/dispatch", dispatched_at=left)
        shipped = await self.get("orders", f"/v1/orders/{order['id']}")
        assert (shipped["allocation"], shipped["shipment"]) == ("full", "full")

    async def books(self, **at: Any) -> dict[str, int]:
        trial = await self.get("accounting", f"{V1}/trial-balance", **at)
        assert all(total["difference"] == 0 for total in trial["totals"])
        return {row["account"]: row["balance"] for row in trial["rows"] if row["balance"]}


@pytest.mark.parametrize("choice", CHOICES)
async def test_a_year_of_trade_runs_on_the_companys_own_codes(make_harness: MakeHarness, choice: str) -> None:
    chart, code = CHOICES[choice]
    company = await Company.found(make_harness, chart)
    expected: dict[str, int] = {}

    def book(debit: str, credit: str, amount: int) -> None:
        for name, change in ((debit, amount), (credit, -amount)):
            expected[code[name]] = expected.get(code[name], 0) + change

    await company.receives(100, 70_000, "opening")
    book("stock", "opening", 70_000)
    await company.receives(50, 50_000, "purchase")
    book("stock", "not invoiced", 50_000)
    await company.sells(110, 1_500, left=days_ago(40))
    book("unbilled", "sales", 110 * 1_500)
    book("unbilled", "tax", 110 * 150)
    book("cost", "stock", 100 * 700 + 10 * 1_000)
    use = {**company.there, "quantity": "5", "reason": "consumption", "effective_at": days_ago(40)}
    await company.done("inventory", "/v1/inventory/issues", **use)
    book("usage", "stock", 5 * 1_000)
    count = {**company.there, "quantity": "-2", "reason": "count", "currency": "EUR", "effective_at": days_ago(40)}
    await company.done("inventory", "/v1/inventory/adjustments", **count)
    book("differences", "stock", 2 * 1_000)
    rent = [
        {"account": code["rent"], "currency": "EUR", "debit": 900},
        {"account": code["bank"], "currency": "EUR", "credit": 900},
    ]
    await company.done("accounting", f"{V1}/journals", text="Rent", effective_at=days_ago(39), lines=rent)
    book("rent", "bank", 900)
    assert await company.wire.dead_letters() == []
    assert await company.books() == expected

    # The year ends; what follows belongs to the next.
    first, last = (datetime.now(UTC) - timedelta(days=70)).date(), (datetime.now(UTC) - timedelta(days=30)).date()
    year = await company.done("accounting", f"{V1}/periods", name="Y", first_day=str(first), last_day=str(last))
    await company.done("accounting", f"{V1}/periods/{year['id']}/close", year_end=True)
    for name in ("sales", "cost", "usage", "differences", "rent"):
        result = expected.pop(code[name], 0)
        expected[code["result"]] = expected.get(code["result"], 0) + result
    assert expected[code["result"]] == -(110 * 1_500 - 80_000 - 5_000 - 2_000 - 900)
    assert await company.books() == expected
    await company.sells(3, 2_000, left=days_ago(0))
    book("unbilled", "sales", 6_000)
    book("unbilled", "tax", 600)
    book("cost", "stock", 3_000)
    assert await company.books() == expected
    (stock,) = await company.every("inventory", "/v1/inventory/stock")
    assert (Decimal(stock["on_hand"]), stock["value"]) == (Decimal(30), expected[code["stock"]])
    integrity = await company.get("accounting", f"{V1}/integrity")
    assert integrity["intact"], integrity
    assert {one["role"]: one["balance"] for one in integrity["control"]} == {
        "inventory": 30_000,
        "goods_received_not_invoiced": -50_000,
        "unbilled_receivable": 110 * 1_650 + 6_600,
        "output_tax": -(110 * 150 + 600),
    }
    assert (await company.services["accounting"].prove()).proven
