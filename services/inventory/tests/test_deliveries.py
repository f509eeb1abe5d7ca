"""What a supplier delivered is put away by receipts against it: all of it, in parts, and never more than came."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from depot import Depot

from contracts.asns import AsnLine, AsnPackage, AsnReceived
from contracts.inventory import StockReceived
from inventory import commands
from inventory.bodies import NewReceipt
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def _come(h: Harness, *parcels: list[AsnLine]) -> AsnReceived:
    packages = [AsnPackage(sscc=f"{at:018}", lines=lines) for at, lines in enumerate(parcels)]
    told = AsnReceived(
        asn_id=uuid7(), number="ASN-000007", reference="D-1", received_at=NOON, packages=packages, differences=[]
    )
    await h.deliver(told, aggregate_id=told.asn_id)
    return told


def _line(quantity: str, sku: str = "RODS", lot: str | None = None, **more: Any) -> AsnLine:
    return AsnLine(sku=sku, quantity=Decimal(quantity), lot=lot, **more)


async def _lines(h: Harness, **query: Any) -> list[dict[str, Any]]:
    return list((await h.client.get("/v1/inventory/delivery-lines", params=query)).json()["items"])


async def test_what_came_waits_until_it_is_in_stock(depot: Depot) -> None:
    told = await _come(
        depot.h, [_line("6"), _line("2", lot="H-1", name="Rods, hot")], [_line("4", "Rods"), _line("1", "NUT")]
    )
    lines = await _lines(depot.h, asn_id=str(told.asn_id))
    assert {(e["sku"], e["lot"], e["received"], e["taken_in"]) for e in lines} == {
        ("RODS", None, "10", "0"),
        ("RODS", "H-1", "2", "0"),
        ("NUT", None, "1", "0"),
    }
    assert [each["id"] for each in await _lines(depot.h, sku="ｎut")] == [e["id"] for e in lines if e["sku"] == "NUT"]
    rods = next(each for each in lines if (each["sku"], each["lot"]) == ("RODS", None))
    put = {"reason": "purchase", "unit": "box", "unit_cost": "1200", "currency": "EUR", "delivery_line_id": rods["id"]}
    moved = await depot.post("receipts", quantity="7", **put)
    # Seven boxes of twelve bolts; the notice counts boxes.
    assert (moved["quantity"], moved["value"], moved["reference"], moved["delivered"]) == (
        "84",
        8400,
        "ASN-000007",
        "7",
    )
    refused = await depot.post("receipts", 409, quantity="4", **put)
    assert (refused["type"], refused["errors"][0]["field"]) == ("urn:tailrace:problem:more-than-came", "/quantity")
    await depot.post("receipts", quantity="3", **{**put, "reference": "Shelf 4"}, warehouse_id=depot.south)
    (seen,) = await _lines(depot.h, sku="RODS", waiting="false")
    assert (seen["id"], seen["taken_in"]) == (rods["id"], "10")
    assert {each["sku"] for each in await _lines(depot.h, waiting="true")} == {"RODS", "NUT"}
    listed = await depot.h.client.get("/v1/inventory/movements", params={"delivery_line_id": rods["id"]})
    assert {each["quantity"] for each in listed.json()["items"]} == {"84", "36"}
    events = [each.event for each in await depot.h.published("inventory.stock.received")]
    assert [(e.delivery_line_id, e.delivered) for e in events if isinstance(e, StockReceived)] == [
        (UUID(rods["id"]), Decimal(7)),
        (UUID(rods["id"]), Decimal(3)),
    ]


async def test_what_came_with_a_delivery_names_it_and_so_does_what_goes_back(depot: Depot) -> None:
    told = await _come(depot.h, [_line("6")])
    (line,) = await _lines(depot.h)
    bought = {"quantity": "6", "reason": "purchase", "value": 600, "currency": "EUR"}
    receipt = await depot.post("receipts", **bought, delivery_line_id=line["id"])
    other = await depot.post("receipts", **bought)
    for came in (receipt, other):
        await depot.post("issues", quantity="1", reason="return_to_supplier", receipt_id=came["id"])
    for moved in ("received", "issued"):
        events: list[Any] = [each.event for each in await depot.h.published(f"inventory.stock.{moved}")]
        assert [event.asn_id for event in events] == [told.asn_id, None]


async def test_codes_and_lots_that_read_alike_in_a_row_are_two(depot: Depot) -> None:
    await _come(depot.h, [_line("6", "A/1", "X"), _line("5", "A", "1/X"), _line("4", "A/", "X"), _line("3", "A//X")])
    found = {(each["sku"], each["lot"]): each["received"] for each in await _lines(depot.h)}
    assert found == {("A/1", "X"): "6", ("A", "1/X"): "5", ("A/", "X"): "4", ("A//X", None): "3"}


async def test_no_two_put_the_same_goods_away(depot: Depot) -> None:
    await _come(depot.h, [_line("10")])
    (line,) = await _lines(depot.h)
    said = {"item_id": str(depot.bolt), "reason": "purchase", "value": 30, "currency": "EUR"}
    said["delivery_line_id"] = line["id"]
    here = {**said, "warehouse_id": str(depot.north), "quantity": "8"}
    there = {**said, "warehouse_id": str(depot.south), "quantity": "3"}
    async with depot.h.tx() as tx:
        await commands.receive(tx, NewReceipt.model_validate_json(json.dumps(here)), None)
        # Of another stock, at the same moment: it has to wait for the line.
        second = asyncio.create_task(depot.h.client.post("/v1/inventory/receipts", json=there))
        while not second.done() and not await depot.h.admin.fetchval(_WAITS):
            pass
    assert (await second).status_code == 409
    assert (await _lines(depot.h))[0]["taken_in"] == "8"


async def test_a_delivery_is_a_purchase_and_somebodys_own(depot: Depot) -> None:
    await _come(depot.h, [_line("10")])
    (line,) = await _lines(depot.h)
    body = {"quantity": "1", "value": 10, "currency": "EUR", "delivery_line_id": line["id"]}
    await depot.post("receipts", 422, **body, reason="opening")
    unknown = await depot.post("receipts", 422, **{**body, "delivery_line_id": uuid4()}, reason="purchase")
    assert unknown["errors"][0]["field"] == "/delivery_line_id"
    other = depot.h.client_as("*", tenant=depot.h.other_tenant)
    assert (await other.get("/v1/inventory/delivery-lines")).json()["items"] == []
