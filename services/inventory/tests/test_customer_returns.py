"""What customers gave back comes in at the cost that it left at, to the minor unit, and what is scrapped takes nobody else's layer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from depot import Depot

from contracts.lots import LotQuantity
from contracts.return_shipments import InspectedLine, ReturnInspected
from contracts.shipments import ShipmentDispatched
from tailrace.core.ids import uuid7

from .test_provisional import allow


async def left(depot: Depot, quantity: str, item: UUID | None = None) -> ShipmentDispatched:
    """So much was ordered and has left."""
    request = await depot.order(depot.line(quantity, item), partial=True)
    event = depot.shipment(request, quantity)
    await depot.h.deliver(event, aggregate_id=event.shipment_id)
    return event


async def back(
    depot: Depot, shipment: ShipmentDispatched, lots: Sequence[LotQuantity] = (), **verdicts: str
) -> ReturnInspected:
    line = shipment.lines[0]
    ids = {"line_id": line.line_id, "item_id": line.item_id, "warehouse_id": line.warehouse_id}
    said: Any = {
        "return_id": uuid7(),
        "return_shipment_id": uuid7(),
        "order_id": shipment.order_id,
        "number": "RT-000001",
        "complete": True,
    }
    event = ReturnInspected(
        **said,
        lines=[
            InspectedLine(
                return_line_id=uuid7(),
                shipment_id=shipment.shipment_id,
                verdict=verdict,
                quantity=Decimal(much),
                lots=list(lots),
                **ids,
            )
            for verdict, much in verdicts.items()
        ],
        inspected_at=datetime.now(UTC),
    )
    await depot.h.deliver(event, aggregate_id=event.return_id, may_dead_letter=True)
    return event


async def test_parts_cost_what_the_whole_did_and_come_in_as_the_youngest_layer(depot: Depot) -> None:
    await depot.receive("2", 7)
    await depot.receive("5", 100)
    shipment = await left(depot, "3")
    assert await depot.layers() == [("4", 80)]
    said = await back(depot, shipment, restock="1", scrap="1", send_back="1")
    # Of the 27 that three cost: 9, 9, and what the customer keeps.
    assert await depot.layers() == [("4", 80), ("1", 9)]
    (came, scrapped) = (
        [each for each in await depot.told("stock.received") if each.reason == "return"],
        await depot.told("stock.issued"),
    )
    assert [(each.quantity, each.value, each.return_id) for each in came] == [(1, 9, said.return_id)] * 2
    assert [(each.reason, each.value, each.layers[0].layer_id) for each in scrapped[1:]] == [
        ("scrap", 9, came[1].layer_id)
    ]
    assert (scrapped[1].return_id, scrapped[1].line_id) == (said.return_id, shipment.lines[0].line_id)
    assert (await depot.h.prove()).proven
    uneven = await left(depot, "5")
    parts = [await back(depot, uneven, restock=each) for each in ("2", "1", "1", "1")]
    values = [
        each.value
        for each in await depot.told("stock.received")
        if each.return_id in {part.return_id for part in parts}
    ]
    assert (sum(values), values) == (89, [36, 17, 18, 18])
    assert await depot.figures() == ("5", "0", 89)


async def test_under_the_moving_average_it_joins_the_others_and_scrap_leaves_them_alone(depot: Depot) -> None:
    await depot.receive("10", 1000, item_id=depot.flour)
    shipment = await left(depot, "4", depot.flour)
    await depot.receive("4", 1000, item_id=depot.flour)
    await back(depot, shipment, scrap="1")
    assert await depot.layers(depot.flour) == [("10", 1600)]
    await back(depot, shipment, restock="3")
    assert await depot.layers(depot.flour) == [("13", 1900)]


async def test_what_comes_back_covers_first_what_left_without_being_there(depot: Depot) -> None:
    await allow(depot, depot.bolt, "BOLT", "fifo", 2)
    await depot.receive("2", 200)
    shipment = await left(depot, "2")
    short = await left(depot, "1")
    assert (await depot.stock())["on_hand"] == "-1"
    await back(depot, shipment, restock="2")
    (settled,) = await depot.told("stock.cost_settled")
    assert (settled.shipment_id, settled.value) == (short.shipment_id, 100)
    assert await depot.figures() == ("1", "0", 100)
    # Its cost is known by now, and that is what it comes back at.
    await back(depot, short, scrap="1")
    assert (await depot.told("stock.issued"))[-1].value == 100
    assert (await depot.h.prove()).proven


async def test_what_has_not_left_here_yet_waits(depot: Depot) -> None:
    await depot.receive("5", 500)
    request = await depot.order(depot.line("2"))
    unheard = depot.shipment(request)
    await back(depot, unheard, restock="1")
    await depot.h.deliver(unheard, aggregate_id=unheard.shipment_id)
    await back(depot, unheard, restock="3")
    assert {row["kind"] for row in await depot.h.admin.fetch("SELECT kind FROM dead_letter")} == {"not_yet"}
    assert await depot.figures() == ("3", "0", 300)
    await back(depot, unheard, restock="2")
    assert await depot.figures() == ("5", "0", 500)


async def test_lots_come_back_in_the_order_in_which_they_left(depot: Depot) -> None:
    milk = uuid7()
    await depot.item(milk, "MILK", tracking="lot")
    came = [{"number": "A", "quantity": "3"}, {"number": "B", "quantity": "4"}]
    await depot.receive("7", 700, item_id=milk, lots=came)
    shipment = await left(depot, "5", milk)
    await back(depot, shipment, restock="2")
    await back(depot, shipment, restock="2")
    lots = [each.lots for each in await depot.told("stock.received") if each.reason == "return"]
    assert [[(lot.number, lot.quantity) for lot in each] for each in lots] == [[("A", 2)], [("A", 1), ("B", 1)]]
    await back(depot, shipment, scrap="1")
    scrapped = (await depot.told("stock.issued"))[-1]
    assert [(lot.number, lot.quantity) for lot in scrapped.lots] == [("B", 1)]
    shown = [await depot.get(f"lots/{each['id']}") for each in (await depot.get("lots"))["items"]]
    assert {each["number"]: each["on_hand"] for each in shown} == {"A": "3", "B": "3"}
    assert (await depot.h.prove()).proven


async def test_the_piece_comes_back_that_the_inspection_names_and_is_nowhere_else(depot: Depot) -> None:
    pump = uuid7()
    await depot.item(pump, "PUMP", tracking="serial")
    bought: dict[str, Any] = {"item_id": pump, "currency": "EUR", "reason": "purchase"}
    pieces = [{"number": number, "quantity": "1"} for number in ("S1", "S2", "S3")]
    await depot.post("receipts", **bought, quantity="3", value=300, lots=pieces)

    async def places() -> dict[str, list[str]]:
        shown = [await depot.get(f"lots/{each['id']}") for each in (await depot.get("lots", item_id=pump))["items"]]
        return {each["number"]: [place["quantity"] for place in each["places"]] for each in shown}

    shipment = await left(depot, "2", pump)
    (made,) = await depot.told("reservation.made")
    assert [one.number for one in made.lines[0].lots] == ["S1", "S2"]
    assert await places() == {"S1": [], "S2": [], "S3": ["1"]}
    second = made.lines[0].lots[1]
    await back(depot, shipment, lots=[second], restock="1")
    assert await places() == {"S1": [], "S2": ["1"], "S3": ["1"]}, "not the one that left first"
    # One is in stock and one is with the customer: neither comes in as a purchase, and S2 not once more by the same shipment.
    for number in ("S1", "S2"):
        once_more = {**bought, "quantity": "1", "value": 100, "lots": [{"number": number, "quantity": "1"}]}
        assert (await depot.post("receipts", 409, **once_more))["type"].endswith("serial-known")
    await back(depot, shipment, lots=[second], scrap="1")
    scrapped = (await depot.told("stock.issued"))[-1]
    assert [one.number for one in scrapped.lots] == ["S1"], "the only one that was still out"
    assert await places() == {"S1": [], "S2": ["1"], "S3": ["1"]}
    assert (await depot.h.prove()).proven
