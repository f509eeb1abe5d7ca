"""Negative stock by policy: what leaves without being in the books goes at an estimate, and what comes in next settles it to the minor unit."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from depot import Depot

from contracts import catalog
from contracts.inventory import StockCostSettled, StockIssued
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, SetClock

ISSUE = {"reason": "consumption"}


@pytest.fixture
async def lenient(depot: Depot) -> Depot:
    """The bolt's stock may go below zero."""
    await allow(depot, depot.bolt, "BOLT", "fifo", 2)
    return depot


async def allow(depot: Depot, item: UUID, sku: str, valuation: Any, sequence: int) -> None:
    event = catalog.ItemUpdated(
        item_id=item,
        sku=sku,
        name=sku,
        unit="pcs",
        tax_rate=Decimal("0.1"),
        valuation=valuation,
        negative_stock="provisional",
    )
    await depot.h.deliver(event, aggregate_id=item, sequence=sequence)


async def ledger(depot: Depot) -> list[tuple[str, str, int]]:
    """Kind, quantity and value of each movement, in order."""
    rows = (await depot.get("movements"))["items"]
    return [(row["kind"], row["quantity"], row["value"]) for row in rows]


async def test_what_is_not_there_is_refused_unless_policy_says_otherwise(depot: Depot) -> None:
    await depot.receive("2", 20)
    assert (await depot.post("issues", 409, quantity="5", **ISSUE))["type"] == "urn:tailrace:problem:stock-short"
    south = catalog.WarehouseUpdated(warehouse_id=depot.north, code="N", name="N", negative_stock="provisional")
    await depot.h.deliver(south, aggregate_id=depot.north)
    await depot.post("issues", quantity="5", **ISSUE)
    assert await depot.figures() == ("-3", "0", -30)
    # Elsewhere nothing changed, and what a count or a transfer takes must be there in any case.
    await depot.post("issues", 409, quantity="1", warehouse_id=depot.south, **ISSUE)
    await depot.post("adjustments", 409, quantity="-1", reason="count")
    await depot.post("transfers", 409, quantity="1", from_warehouse_id=depot.north, to_warehouse_id=depot.south)


async def test_the_next_receipt_covers_it_first_and_settles_the_cost(lenient: Depot) -> None:
    await lenient.receive("3", 10)
    await lenient.post("issues", quantity="10", reference="job 7", **ISSUE)
    stock = await lenient.stock()
    # Seven more at 10/3 each: 23.33.
    assert (stock["on_hand"], stock["provisional"], stock["available"], stock["value"]) == ("-7", "7", "0", -23)
    assert [(one["quantity"], one["value"], one["reference"]) for one in stock["shortfalls"]] == [("7", 23, "job 7")]
    assert len((await lenient.get("stock", provisional=True))["items"]) == 1
    await lenient.receive("4", 21)
    await lenient.receive("10", 60)
    stock = await lenient.stock()
    assert (stock["on_hand"], stock["provisional"], stock["value"]) == ("7", "0", 42)
    assert [(layer["quantity"], layer["value"]) for layer in stock["layers"]] == [("7", 42)]
    settled: list[StockCostSettled] = await lenient.told("stock.cost_settled")
    # Four of seven at their share of the estimate, 13; the rest takes what is left of it.
    assert [(int(one.quantity), one.value, one.provisional) for one in settled] == [(4, 21, 13), (3, 18, 10)]
    assert {(one.reason, one.reference) for one in settled} == {("consumption", "job 7")}
    assert await ledger(lenient) == [
        ("received", "3", 10),
        ("issued", "-10", -33),
        ("received", "4", 21),
        ("settled", "0", -8),
        ("received", "10", 60),
        ("settled", "0", -8),
    ]
    assert (await lenient.get("stock", provisional=True))["items"] == []
    assert (await lenient.get(f"stock/{lenient.bolt}/{lenient.north}/replay"))["equal"]


async def test_under_the_moving_average_the_estimate_is_the_average(depot: Depot) -> None:
    await allow(depot, depot.flour, "FLOUR", "moving_average", 2)
    await depot.receive("2", 20, item_id=depot.flour)
    await depot.receive("2", 60, item_id=depot.flour)
    await depot.post("issues", quantity="6", item_id=depot.flour, **ISSUE)
    assert (await depot.stock(depot.flour))["value"] == -40
    await depot.receive("6", 90, item_id=depot.flour)
    assert await depot.layers(depot.flour) == [("4", 60)]
    (settled,) = await depot.told("stock.cost_settled")
    assert (settled.value, settled.provisional) == (30, 40)


async def test_where_nothing_ever_came_in_the_estimate_is_zero_and_says_so(lenient: Depot) -> None:
    nameless = await lenient.post("issues", 422, quantity="2", **ISSUE)
    assert nameless["errors"][0]["field"] == "/currency"
    await lenient.post("issues", quantity="2", currency="USD", **ISSUE)
    (issued,) = await lenient.told("stock.issued")
    assert isinstance(issued, StockIssued)
    assert issued.provisional is not None
    assert (issued.value, issued.provisional.basis) == (0, "unknown")
    # A guess binds nobody: the first receipt says what the stock is valued in.
    await lenient.receive("5", 50)
    stock = await lenient.stock()
    assert (stock["on_hand"], stock["value"], stock["currency"]) == ("3", 30, "EUR")


async def test_a_count_that_finds_more_covers_it_too(lenient: Depot) -> None:
    await lenient.receive("1", 7)
    await lenient.post("issues", quantity="4", **ISSUE)
    await lenient.post("adjustments", quantity="3", reason="count")
    stock = await lenient.stock()
    assert (stock["on_hand"], stock["value"], stock["layers"]) == ("0", 0, [])


async def test_nobody_is_promised_what_is_not_there_and_what_is_held_stays_held(lenient: Depot) -> None:
    await lenient.receive("10", 100)
    held = await lenient.order(lenient.line("10"))
    await lenient.post("issues", quantity="3", **ISSUE)
    assert await lenient.figures() == ("7", "10", 70)
    await lenient.order(lenient.line("1"))
    assert len(await lenient.told("reservation.rejected")) == 1
    await lenient.dispatch(held, "4")
    assert (await lenient.told("stock.issued"))[-1].provisional is None
    # Giving the rest back frees six, of which three are gone already.
    await lenient.ask_release(held, *[])
    stock = await lenient.stock()
    assert (stock["on_hand"], stock["reserved"], stock["provisional"], stock["value"]) == ("3", "0", "0", 30)


async def test_goods_that_left_beyond_their_reservation_do_not_wait_for_a_receipt(
    lenient: Depot, clock: SetClock
) -> None:
    clock("2026-02-15T12:00:00Z")
    await lenient.receive("4", 40)
    order = await lenient.order(lenient.line("4"))
    left = lenient.shipment(order, "6")
    await lenient.h.deliver(left, aggregate_id=left.shipment_id)
    assert await lenient.figures() == ("-2", "0", -20)
    await lenient.receive("2", 26, effective_at="2026-01-05T00:00:00Z")
    (settled,) = await lenient.told("stock.cost_settled")
    assert (settled.shipment_id, settled.order_id) == (left.shipment_id, order.order_id)
    # A receipt that is entered late settles when the goods left: not before there was anything to settle.
    assert settled.effective_at == left.dispatched_at


async def test_a_snapshot_of_before_there_were_shortfalls_is_left_aside(lenient: Depot) -> None:
    h: Harness = lenient.h
    await lenient.receive("1", 9)
    for _ in range(60):
        await lenient.receive("1", 1)
    await h.admin.execute('UPDATE stream_snapshot SET shape = 1, state = \'{"layers": [], "reserved": "0"}\'')
    await lenient.post("issues", quantity="61", **ISSUE)
    assert await lenient.figures() == ("0", "0", 0)


async def test_a_stock_without_a_policy_known_here_stays_strict(depot: Depot) -> None:
    order = await depot.order(depot.line("1", item=uuid7()))
    left = depot.shipment(order, "1")
    await depot.h.deliver(left, aggregate_id=left.shipment_id, may_dead_letter=True)
    assert await depot.h.admin.fetchval("SELECT kind FROM dead_letter") == "not_yet"
