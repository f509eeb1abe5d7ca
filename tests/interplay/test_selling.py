"""From the catalog to the books, whatever order events arrive in: tax adds up to what the law wants, and an order says what became of its goods."""

import pytest
from firm import BOLT, Firm, Services

from accounting.service import service as accounting
from catalog.service import service as catalog
from inventory.service import service as inventory
from orders.service import service as orders
from shipping.service import service as shipping
from tailrace_testing import MakeHarness

SEEDS = range(6)
RECEIVABLE, STOCK, TAX, REVENUE, COST = "1210 1400 2200 4000 5000".split()


@pytest.fixture
async def services(make_harness: MakeHarness) -> Services:
    return {s.name: await make_harness(s) for s in (catalog, orders, inventory, shipping, accounting)}


async def test_a_hundred_lines_in_two_shipments_are_taxed_as_one(services: Services) -> None:
    """A hundred lines of 0.30 at 15 %, which are 4.50, and of each a part leaves first."""
    code = {"code": "S", "name": "Standard", "rates": [{"valid_from": "2020-01-01", "rate": "0.15"}]}
    firm = await Firm.open(services, 0)
    taxed = await firm.ask("catalog", "POST", "/v1/tax-codes", code)
    await firm.ask("catalog", "PUT", f"/v1/items/{firm.item['id']}", {**BOLT, "tax_code_id": taxed["id"]})
    await firm.wire.settle()

    order = await firm.order(lines=100, quantity="3", price="10")
    assert (order["net"], order["tax"]) == (3000, 450)
    assert order["taxes"] == [{"code": "S", "rate": "0.15", "net": 3000, "tax": 450}]
    whole = await firm.shipment(order)
    part = {"lines": [{"line_id": line["id"], "quantity": "1"} for line in order["lines"]]}
    ahead = await firm.ask("shipping", "POST", f"{whole}/split", part)
    await firm.ask("shipping", "POST", f"/v1/shipments/{ahead['id']}/dispatch", {})
    await firm.wire.settle()
    assert 0 > (await firm.balances())[TAX] > -450
    await firm.ask("shipping", "POST", f"{whole}/dispatch", {})
    await firm.wire.settle()
    found = await firm.balances()
    assert {name: found[name] for name in (RECEIVABLE, REVENUE, TAX)} == {RECEIVABLE: 3450, REVENUE: -3000, TAX: -450}


@pytest.mark.parametrize("late", ["cancel", "hold", "release"])
async def test_what_left_meanwhile_is_what_everybody_says(services: Services, late: str) -> None:
    """Both are answered with 200: that all of it left, and that the order was given up, put on hold, or its stock given back."""
    for seed in SEEDS:
        firm = await Firm.open(services, seed)
        order = await firm.order(lines=2, quantity="5", price="10")
        await firm.ask("shipping", "POST", f"{await firm.shipment(order)}/dispatch", {})
        (held,) = (await firm.ask("inventory", "GET", "/v1/inventory/reservations"))["items"]
        act = f"/v1/inventory/reservations/{held['id']}" if late == "release" else f"/v1/orders/{order['id']}"
        service = "inventory" if late == "release" else "orders"
        await firm.ask(service, "POST", f"{act}/{late}", {"reason": "In the last moment."})
        await firm.wire.settle()

        now = await firm.ask("orders", "GET", f"/v1/orders/{order['id']}")
        assert (now["status"], now["shipment"], now["allocation"]) == ("confirmed", "full", "full"), seed
        assert (now["shortage"], now["cancel_reason"], now["hold_reason"]) == (None, None, None), seed
        assert bool(now["correction"]) == (late != "release"), seed
        assert (await firm.ask("orders", "GET", f"/v1/orders/{order['id']}/history"))["state"] == "done", seed
        (held,) = (await firm.ask("inventory", "GET", "/v1/inventory/reservations"))["items"]
        assert (held["status"], [line["held"] for line in held["lines"]]) == ("consumed", ["0", "0"]), seed
        stock = await firm.ask("inventory", "GET", f"/v1/inventory/stock/{firm.item['id']}/{firm.place['id']}")
        assert (stock["on_hand"], stock["reserved"], stock["value"]) == ("990", "0", 1980), seed
        found = await firm.balances()
        expected = {RECEIVABLE: 110, STOCK: 1980, TAX: -10, REVENUE: -100, COST: 20}
        assert {name: found[name] for name in expected} == expected, seed
        assert await firm.wire.dead_letters() == [], seed
