"""Every operation of shipping once: two carriers, and shipments that are picked, packed, split, sent and signed for;
and a return that is received and looked at."""

from uuid import UUID

from invariants.walk import Walker

from contracts.orders import Address, ShipmentCancellationRequested, ShipmentLineRequest, ShipmentRequested
from contracts.returns import ReturnAuthorised, ReturnLine
from tailrace.core.ids import uuid7

CARRIER = {"code": "POST", "name": "The post"}


async def walk(w: Walker) -> None:
    carrier = await w.post("/v1/carriers", CARRIER)
    other = await w.post("/v1/carriers", {**CARRIER, "code": "RAIL"})
    await w.post("/v1/carriers", {**CARRIER, "code": "SEA"})
    await w.get("/v1/carriers")
    await w.get("/v1/carriers/{carrier_id}", carrier_id=carrier["id"])
    await w.put("/v1/carriers/{carrier_id}", {**CARRIER, "name": "Express"}, carrier_id=carrier["id"])
    await w.delete("/v1/carriers/{carrier_id}", carrier_id=other["id"])
    await w.post("/v1/carriers/{carrier_id}/restore", carrier_id=other["id"])

    first, line, _ = await _requested(w, "SO-000001")
    _, _, dropped = await _requested(w, "SO-000002")
    await w.tell(ShipmentCancellationRequested(order_id=dropped, reason="changed their mind"), aggregate_id=dropped)
    await w.get("/v1/shipments")
    await w.get("/v1/shipments/{shipment_id}", shipment_id=first)
    await w.get("/v1/shipments/{shipment_id}/pick-list", shipment_id=first)
    some = {"lines": [{"line_id": line, "quantity": "1"}]}
    await w.post("/v1/shipments/{shipment_id}/pick", some, shipment_id=first)
    await w.post("/v1/shipments/{shipment_id}/packages", {**some, "weight_grams": 900}, shipment_id=first)
    await w.post("/v1/shipments/{shipment_id}/split", some, shipment_id=first)
    sent = {"carrier_id": carrier["id"], "tracking_number": "T-1"}
    await w.post("/v1/shipments/{shipment_id}/dispatch", sent, shipment_id=first)
    await w.post("/v1/shipments/{shipment_id}/deliver", {"signed_by": "Grace Receiver"}, shipment_id=first)

    returned, line_id = await _authorised(w, "RT-000001")
    await _authorised(w, "RT-000002")
    at = "/v1/return-shipments"
    await w.get(at)
    await w.get(f"{at}/{{return_shipment_id}}", return_shipment_id=returned)
    came = {
        "lines": [{"return_line_id": line_id, "quantity": "2"}],
        "unexpected": [{"description": "A nut", "quantity": "1"}],
    }
    await w.post(f"{at}/{{return_shipment_id}}/receive", came, return_shipment_id=returned)
    verdict = {"return_line_id": line_id, "verdict": "restock", "quantity": "1", "note": "As new."}
    await w.post(f"{at}/{{return_shipment_id}}/inspect", {"lines": [verdict]}, return_shipment_id=returned)


async def _authorised(w: Walker, number: str) -> tuple[str, str]:
    """A return of three that orders agreed to, and its line."""
    line = ReturnLine(
        return_line_id=uuid7(),
        shipment_id=uuid7(),
        line_id=uuid7(),
        item_id=uuid7(),
        sku="BOLT",
        name="Bolt",
        warehouse_id=uuid7(),
        quantity="3",
        outcome="refund",
    )
    asked = ReturnAuthorised(
        return_id=uuid7(),
        return_shipment_id=uuid7(),
        order_id=uuid7(),
        number=number,
        order_number="SO-000001",
        customer_name="Hanako Sato",
        reason_code="BROKEN",
        reason="Broken",
        currency="JPY",
        lines=[line],
    )
    await w.tell(asked, aggregate_id=asked.return_id)
    return str(asked.return_shipment_id), str(line.return_line_id)


async def _requested(w: Walker, number: str) -> tuple[str, str, UUID]:
    """A shipment that an order asked for, its line of ten, and the order."""
    order, shipment, line = uuid7(), uuid7(), uuid7()
    figures = {"quantity": "10", "line_quantity": "10", "line_net": 1000, "line_tax": 190}
    wanted = ShipmentLineRequest(
        line_id=line, item_id=uuid7(), sku="BOLT", name="Bolt", warehouse_id=uuid7(), **figures
    )
    asked = ShipmentRequested(
        order_id=order,
        shipment_id=shipment,
        reservation_id=uuid7(),
        number=number,
        customer_reference="PO 7",
        customer_name="Hanako Sato",
        ship_to=Address(lines=["1-1 Chiyoda"], city="Tokyo", country="JP"),
        currency="JPY",
        lines=[wanted],
    )
    await w.tell(asked, aggregate_id=order)
    return str(shipment), str(line), order
