"""Goods go back to their supplier at the price they were received for, whatever the valuation makes of them, and never more than came in."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from depot import Depot

from contracts.inventory import StockIssued
from inventory import commands
from inventory.bodies import NewIssue
from tailrace.core.ids import uuid7
from tailrace_testing.gateway import eventually

from .test_provisional import allow

BACK = {"reason": "return_to_supplier"}


async def send_back(depot: Depot, quantity: str, status: int = 201, /, **given: Any) -> dict[str, Any]:
    return await depot.post("issues", status, quantity=quantity, **BACK, **given)


def fault(problem: dict[str, Any]) -> tuple[str, str]:
    return problem["type"].removeprefix("urn:tailrace:problem:"), problem["errors"][0]["field"]


async def test_it_leaves_at_cost_and_is_credited_at_the_price_of_its_receipt(depot: Depot) -> None:
    await depot.receive("10", 1000)
    dear = await depot.receive("10", 1500)
    gone = await send_back(depot, "4", receipt_id=dear["id"], reference="RMA-1")
    assert (gone["reason"], gone["quantity"], gone["value"]) == ("return_to_supplier", "-4", -400)
    assert (gone["receipt_id"], gone["credited"]) == (dear["id"], 600)
    (event,) = await depot.told("stock.issued")
    assert isinstance(event, StockIssued)
    assert (event.value, event.credited, str(event.receipt_id), event.currency) == (400, 600, dear["id"], "EUR")
    assert await depot.figures() == ("16", "0", 2100)
    assert [(m["quantity"], m["credited"]) for m in (await depot.get("movements", reason=BACK["reason"]))["items"]] == [
        ("-4", 600)
    ]
    assert (await depot.get("valuation"))["totals"] == [{"currency": "EUR", "value": 2100}]
    assert (await depot.h.prove()).proven


async def test_parts_of_a_receipt_add_up_to_it_and_more_is_refused(depot: Depot) -> None:
    await depot.receive("5", 50)
    receipt = await depot.receive("3", 100)
    parts = [(await send_back(depot, "1", receipt_id=receipt["id"]))["credited"] for _ in range(3)]
    assert sum(parts) == 100
    over = await send_back(depot, "1", 409, receipt_id=receipt["id"])
    assert fault(over) == ("more-than-received", "/quantity")
    assert (await depot.figures())[0] == "5"


async def test_under_the_moving_average_a_receipt_keeps_its_price(depot: Depot) -> None:
    flour = {"item_id": depot.flour}
    cheap = await depot.receive("1", 100, **flour)
    await depot.receive("1", 300, **flour)
    gone = await send_back(depot, "500", unit="g", receipt_id=cheap["id"], **flour)
    assert (gone["quantity"], gone["value"], gone["credited"]) == ("-0.5", -100, 50)


async def test_goods_that_were_moved_go_back_from_where_they_are_once(depot: Depot) -> None:
    receipt = await depot.receive("4", 400)
    places = {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south}
    await depot.post("transfers", quantity="3", **places)
    await send_back(depot, "3", receipt_id=receipt["id"], warehouse_id=depot.south)
    await depot.receive("4", 400)
    assert fault(await send_back(depot, "2", 409, receipt_id=receipt["id"]))[0] == "more-than-received"


async def test_of_two_who_send_back_the_same_goods_from_two_warehouses_one_does(depot: Depot) -> None:
    receipt = await depot.receive("2", 200)
    await depot.post("transfers", quantity="1", from_warehouse_id=depot.north, to_warehouse_id=depot.south)
    await depot.receive("5", 500)
    body = {"item_id": str(depot.bolt), "quantity": "2", "receipt_id": receipt["id"], **BACK}
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with depot.h.tx() as tx:
        await commands.issue(tx, NewIssue(**{**body, "quantity": "1", "warehouse_id": str(depot.south)}), None)
        at = "/v1/inventory/issues"
        other = asyncio.create_task(depot.h.client.post(at, json={**body, "warehouse_id": str(depot.north)}))

        async def settled() -> bool:
            return other.done() or bool(await depot.h.admin.fetchval(waiting))

        await eventually(settled, bool, what="an answer, or somebody who waits for the stock")
    assert fault((await other).json()) == ("more-than-received", "/quantity")


async def test_without_a_receipt_the_price_is_named(depot: Depot) -> None:
    await depot.receive("24", 2400, reason="opening")
    assert (await send_back(depot, "1", unit="box", unit_cost="1300"))["credited"] == 1300
    assert (await send_back(depot, "2", value=190))["credited"] == 190
    assert [event.receipt_id for event in await depot.told("stock.issued")] == [None, None]


@pytest.mark.parametrize("price", [{}, {"value": 1, "unit_cost": "1"}, {"receipt_id": str(uuid7()), "value": 1}])
async def test_it_has_one_price(depot: Depot, price: dict[str, Any]) -> None:
    await depot.receive("2", 20)
    await send_back(depot, "1", 422, **price)
    assert await depot.told("stock.issued") == []


async def test_what_is_used_up_has_no_price_of_its_own(depot: Depot) -> None:
    receipt = await depot.receive("2", 20)
    for price in ({"value": 1}, {"unit_cost": "1"}, {"receipt_id": receipt["id"]}):
        await depot.post("issues", 422, quantity="1", reason="scrap", **price)


async def test_what_does_not_fit_is_refused_and_named(depot: Depot) -> None:
    receipt = await depot.receive("5", 50, effective_at="2026-03-01T00:00:00Z")
    opening, flour = await depot.receive("5", 50, reason="opening"), await depot.receive("1", 1, item_id=depot.flour)
    for wrong in (str(uuid7()), opening["id"], flour["id"]):
        assert fault(await send_back(depot, "1", 422, receipt_id=wrong)) == ("invalid", "/receipt_id")
    mine = {"receipt_id": receipt["id"]}
    assert fault(await send_back(depot, "1", 409, currency="USD", **mine)) == ("currency-differs", "/currency")
    assert fault(await send_back(depot, "1", 409, currency="USD", value=1)) == ("currency-differs", "/currency")
    early = await send_back(depot, "1", 422, effective_at="2026-02-28T00:00:00Z", **mine)
    assert fault(early) == ("invalid", "/effective_at")
    await depot.unit("each", "each", decimals=0)
    laptop = uuid7()
    await depot.item(laptop, "LAPTOP", unit="each")
    bought = await depot.receive("3", 30, item_id=laptop)
    half = await send_back(depot, "0.5", 422, item_id=laptop, receipt_id=bought["id"])
    assert fault(half) == ("conversion-inexact", "/quantity")
    assert await depot.told("stock.issued") == []


async def test_a_receipt_in_another_currency_credits_nothing_here(depot: Depot) -> None:
    dollars = await depot.receive("5", 50, currency="USD", warehouse_id=depot.south)
    await depot.receive("5", 50)
    assert fault(await send_back(depot, "1", 409, receipt_id=dollars["id"])) == ("currency-differs", "/receipt_id")


async def test_only_what_is_there_and_free_goes_back_whatever_the_policy(depot: Depot) -> None:
    await allow(depot, depot.bolt, "BOLT", "fifo", 2)
    receipt = await depot.receive("5", 50)
    await depot.post("issues", quantity="7", reason="consumption")
    assert fault(await send_back(depot, "1", 409, receipt_id=receipt["id"])) == ("stock-short", "/quantity")
    late = await depot.receive("6", 90)
    # Two of the six covered what had left before.
    assert fault(await send_back(depot, "5", 409, receipt_id=late["id"])) == ("stock-short", "/quantity")
    assert (await send_back(depot, "4", receipt_id=late["id"]))["credited"] == 60
    assert await depot.figures() == ("0", "0", 0)
    assert (await depot.h.prove()).proven


async def test_what_a_reservation_holds_goes_back_from_it_alone(depot: Depot) -> None:
    receipt = await depot.receive("5", 50)
    line = {"item_id": str(depot.bolt), "warehouse_id": str(depot.north), "quantity": "4"}
    held = await depot.post("reservations", lines=[line])
    assert fault(await send_back(depot, "2", 409, receipt_id=receipt["id"]))[0] == "stock-short"
    drawn = {"reservation_id": held["id"], "line_id": held["lines"][0]["line_id"]}
    await send_back(depot, "2", receipt_id=receipt["id"], **drawn)
    assert await depot.figures() == ("3", "2", 30)
    assert Decimal((await depot.reservation(held["id"]))["lines"][0]["held"]) == 2
