"""Every operation of shipping once: carriers and tariffs, shipments that are picked, packed, booked, split, sent and signed for, and a return."""

import os
from uuid import UUID

from invariants.walk import File, Walker
from partner import Asked, PartnerListener, answer
from signing import Signing

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated
from contracts.orders import Address, ShipmentCancellationRequested, ShipmentLineRequest, ShipmentRequested
from contracts.returns import ReturnAuthorised, ReturnLine
from contracts.templates import TemplateSettings
from shipping.booking.partner import CALLBACKS
from tailrace.core.ids import uuid7
from tailrace.core.values.custom_fields import CustomField
from tailrace.settings import PartnerAddress

CARRIER = {"code": "POST", "name": "The post", "bookable": True}
REFUSED = "SO-000003"
SIGNED_BY, SECRET = "PARTNER_SECRET_WALKED_CARRIER", "whsec_QSBzZWNyZXQgdGhhdCBpcyBsb25nIGVub3VnaCE="
TARIFF = {
    "code": "T-1",
    "name": "Standard",
    "service": "standard",
    "currency": "JPY",
    "valid_from": "2026-01-01",
    "rates": [{"country": "JP", "postal_prefix": None, "up_to_grams": 30000, "price": 800}],
}


async def walk(w: Walker) -> None:
    carrier = await w.post("/v1/carriers", CARRIER)
    other = await w.post("/v1/carriers", {**CARRIER, "code": "RAIL"})
    await w.post("/v1/carriers", {**CARRIER, "code": "SEA"})
    await w.get("/v1/carriers")
    await w.get("/v1/carriers/{carrier_id}", carrier_id=carrier["id"])
    await w.put("/v1/carriers/{carrier_id}", {**CARRIER, "name": "Express"}, carrier_id=carrier["id"])
    await w.delete("/v1/carriers/{carrier_id}", carrier_id=other["id"])
    await w.post("/v1/carriers/{carrier_id}/restore", carrier_id=other["id"])
    tariff = await _tariffs(w, carrier["id"])

    first, line, _ = await _requested(w, "SO-000001")
    _, _, dropped = await _requested(w, "SO-000002")
    await w.tell(ShipmentCancellationRequested(order_id=dropped, reason="changed their mind"), aggregate_id=dropped)
    await w.get("/v1/shipments")
    await w.get("/v1/shipments/{shipment_id}", shipment_id=first)
    await w.get("/v1/shipments/{shipment_id}/pick-list", shipment_id=first)
    await _described(w, first)
    some = {"lines": [{"line_id": line, "quantity": "1"}]}
    await w.post("/v1/shipments/{shipment_id}/pick", some, shipment_id=first)
    await w.get("/v1/shipments/labelling")
    labelling = {"company_prefix": "4912345", "sender": "Tailrace K.K.", "language": "ja"}
    await w.put("/v1/shipments/labelling", labelling)
    parcel = {**some, "weight_grams": 900, "length_mm": 300, "width_mm": 200, "height_mm": 100}
    packed = await w.post("/v1/shipments/{shipment_id}/packages", parcel, shipment_id=first)
    await w.delete(
        "/v1/shipments/{shipment_id}/packages/{package_id}", shipment_id=first, package_id=packed["packages"][0]["id"]
    )
    await w.post("/v1/shipments/{shipment_id}/packages", parcel, shipment_id=first)
    await w.get("/v1/shipments/{shipment_id}/labels", shipment_id=first)
    part = await w.post("/v1/shipments/{shipment_id}/split", some, shipment_id=first)
    await w.post("/v1/shipments/{shipment_id}/merge", {"shipment_id": part["id"]}, shipment_id=first)
    other_part = await w.post("/v1/shipments/{shipment_id}/split", some, shipment_id=first)
    await _papers(w, first, other_part["id"])
    await w.post("/v1/shipments/{shipment_id}/merge", {"shipment_id": other_part["id"]}, shipment_id=first)
    await _booked(w, tariff)
    await _announced(w)
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


async def _described(w: Walker, shipment: str) -> None:
    """The company's template gives shipments a field, and the shipment has a value of it."""
    template, choice = uuid7(), uuid7()
    said = TemplateSettings(fields={"shipment": [CustomField(key="inspection", label="Inspection report")]})
    about = {"template_id": template, "code": "HOUSE", "name": "House", "level": "standard", "parent_id": None}
    await w.tell(TemplateCreated(**about, settings=said, effective=said), aggregate_id=template)
    await w.tell(TemplateChoiceUpdated(template_choice_id=choice, template_id=template), aggregate_id=choice)
    fields = {"custom_fields": {"inspection": "IR-7"}}
    await w.put("/v1/shipments/{shipment_id}/custom-fields", fields, shipment_id=shipment)


async def _papers(w: Walker, shipment: str, merged: str) -> None:
    """A certificate and its next version, one taken away and back, and one of a shipment that is merged into this one."""
    here, name = "/v1/shipments/{shipment_id}/attachments", "Certificate 3.1.pdf"
    files = [File(name, f"%PDF-1.7\nheat {heat}\n%%EOF\n".encode(), "application/pdf") for heat in (1, 2, 3)]
    file = await w.post_file(here, files[0], shipment_id=shipment)
    await w.post_file(here, files[2], shipment_id=merged)
    await w.post_file(here, File("memo.txt", b"Call before.\n", "text/plain"), shipment_id=shipment)
    at_file, ids = f"{here}/{{attachment_id}}", {"shipment_id": shipment, "attachment_id": file["id"]}
    await w.get(here, shipment_id=shipment)
    await w.get(at_file, **ids)
    await w.put_file(f"{at_file}/content", files[1], **ids)
    await w.get(f"{at_file}/content", **ids)
    await w.get(f"{at_file}/versions", **ids)
    await w.get(f"{at_file}/versions/{{content_version}}/content", content_version=1, **ids)
    await w.delete(at_file, **ids)
    await w.post(f"{at_file}/restore", **ids)


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


async def _tariffs(w: Walker, carrier: str) -> str:
    """Three tariffs, one of them by a file."""
    body = {**TARIFF, "carrier_id": carrier}
    kept = await w.post("/v1/tariffs", body)
    other = await w.post("/v1/tariffs", {**body, "code": "T-2"})
    await w.get("/v1/tariffs")
    await w.get("/v1/tariffs/{tariff_id}", tariff_id=kept["id"])
    await w.put("/v1/tariffs/{tariff_id}", {**body, "name": "Slow"}, tariff_id=kept["id"])
    await w.delete("/v1/tariffs/{tariff_id}", tariff_id=other["id"])
    await w.post("/v1/tariffs/{tariff_id}/restore", tariff_id=other["id"])
    head = "code,name,carrier,service,currency,valid_from,rates.country,rates.up_to_grams,rates.price\n"
    row = "Third,POST,standard,JPY,2026-01-01,JP,500,600\n"
    await w.imports("/v1/tariffs/import", "/v1/tariffs/jobs", f"{head}T-3,{row}", f"{head}T-4,{row}")
    return str(kept["id"])


async def _booked(w: Walker, tariff: str) -> None:
    """Two shipments are packed, quoted and booked: one is refused and asked for again, the other tracked and cancelled."""
    async with PartnerListener(decide=_carried) as listener:
        os.environ[SIGNED_BY] = SECRET
        w.h.settings.partners = {"carrier": PartnerAddress(url=listener.url, callbacks=f"env:{SIGNED_BY}")}
        w.h.settings.errands_allow = [listener.target]
        failed, booked = [await _packed_and_booked(w, number, tariff) for number in (REFUSED, "SO-000004")]
        await w.get("/v1/bookings")
        await w.get("/v1/bookings/{booking_id}", booking_id=booked)
        await w.post("/v1/bookings/{booking_id}/track", booking_id=booked)
        await w.h.fire_timers()
        await w.h.run_errands()
        said = {"reference": booked, "steps": [{"reference": "2", "state": "in_transit", "at": "2026-06-02T09:00:00Z"}]}
        await w.post(f"{CALLBACKS}/{{tenant_id}}", said, login=Signing(SECRET), tenant_id=w.tenant)
        await w.post("/v1/bookings/{booking_id}/cancel", {"reason": "Changed our minds"}, booking_id=booked)
        await w.post("/v1/bookings/{booking_id}/retry", booking_id=failed)
        errands = (await w.get("/v1/bookings/errands"))["items"]
        at_errand = "/v1/bookings/errands/{errand_id}"
        await w.get(at_errand, errand_id=errands[0]["id"])
        await w.post(f"{at_errand}/retry", errand_id=errands[0]["id"])
        await w.post(f"{at_errand}/cancel", errand_id=errands[1]["id"])


async def _announced(w: Walker) -> None:
    """A supplier's delivery with two parcels, one of which comes, and another one."""
    goods = {"lines": [{"sku": "ROD", "quantity": "5"}]}
    parcels = [{"sscc": sscc, **goods} for sscc in ("376104250021234569", "049123450000000019")]
    asn = await w.post("/v1/asns", {"supplier_name": "Rods Ltd", "reference": "D-1", "packages": parcels})
    await w.post("/v1/asns", {"supplier_name": "Rods Ltd", "reference": "D-2", "packages": parcels[:1]})
    await w.get("/v1/asns")
    await w.get("/v1/asns/{asn_id}", asn_id=asn["id"])
    await w.post("/v1/asns/{asn_id}/arrive", {}, asn_id=asn["id"])
    await w.post("/v1/asns/{asn_id}/scan", {"sscc": parcels[0]["sscc"]}, asn_id=asn["id"])
    await w.post("/v1/asns/{asn_id}/receive", asn_id=asn["id"])


def _carried(asked: Asked) -> bytes:
    """A carrier that takes all but one."""
    if REFUSED.encode() in asked.body:
        return answer(422)
    return answer(
        body=b'{"tracking_number": "T-2", "cancelled": true, "steps": [{"reference": "1", "state": "picked_up", "at": "2026-06-01T09:00:00Z"}]}'
    )


async def _packed_and_booked(w: Walker, number: str, tariff: str) -> str:
    shipment, line, _ = await _requested(w, number)
    everything = {"lines": [{"line_id": line, "quantity": "10"}]}
    await w.post("/v1/shipments/{shipment_id}/pick", everything, shipment_id=shipment)
    await w.post("/v1/shipments/{shipment_id}/packages", {**everything, "weight_grams": 900}, shipment_id=shipment)
    await w.get("/v1/shipments/{shipment_id}/rates", shipment_id=shipment)
    booking = await w.post("/v1/bookings", {"shipment_id": shipment, "tariff_id": tariff})
    await w.h.run_errands()
    return str(booking["id"])


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
