"""Parcels get numbers that no other has, and labels that say them."""

import asyncio
import re
from typing import Any

from ordered import Order

from contracts.shipments import ShipmentPacked
from contracts.users import DateBounds, TenantDatePolicyChanged
from shipping.labels.gs1 import has_check_digit
from tailrace_testing import Harness, SetClock

LABELLING = {
    "company_prefix": "4912345",
    "extension_digit": 3,
    "sender": "Tailrace K.K.\n1-2-3 Marunouchi",
    "language": "ja",
}
GOODS = {"gtin": "6291041500213", "lot": "L-7", "expires_on": "2027-03-09"}


async def _parcels(order: Order, shipment: str) -> list[dict[str, Any]]:
    return list((await order.read(shipment))["packages"])


async def test_each_parcel_has_a_number_of_its_own_that_is_never_given_again(order: Order, shipping: Harness) -> None:
    before = await order.packed()
    assert (await _parcels(order, before))[0]["sscc"] is None
    assert (await shipping.client.get("/v1/shipments/labelling")).json()["company_prefix"] is None
    refused = await shipping.client.get(f"/v1/shipments/{before}/labels")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:not-numbered")
    for _ in range(2):
        assert (await shipping.client.put("/v1/shipments/labelling", json=LABELLING)).json() == LABELLING
    assert "unpack" in (await shipping.client.get(f"/v1/shipments/{before}/labels")).json()["detail"]
    (parcel,) = await _parcels(order, before)
    at = f"/v1/shipments/{before}/packages/{parcel['id']}"
    assert (await shipping.client.delete(at)).status_code == 204
    assert ((await order.read(before))["status"], await _parcels(order, before)) == ("picked", [])
    assert (await shipping.client.delete(at)).status_code == 404
    several = [Order(shipping) for _ in range(4)]
    ids = [await each.shipment() for each in several]
    for each, id in zip(several, ids, strict=True):
        await each.post(id, "pick")
    await asyncio.gather(
        *(each.post(id, "packages", lines=each.some("10")) for each, id in zip(several, ids, strict=True))
    )
    numbers = {(await _parcels(order, id))[0]["sscc"] for id in ids}
    assert {number[:17] for number in numbers} == {f"34912345{serial:09d}" for serial in range(1, 5)}
    assert all(has_check_digit(number) for number in numbers)
    again = [{"line_id": str(order.bolts), "quantity": "10"}]
    await order.post(before, "packages", lines=again)
    assert (await _parcels(order, before))[0]["sscc"][:17] == "34912345000000005"
    # Another prefix and back: its serials go on. Four digits are left behind a prefix of twelve.
    await shipping.client.put("/v1/shipments/labelling", json={**LABELLING, "company_prefix": "123456789012"})
    assert (await _parcels(order, await Order(shipping).packed()))[0]["sscc"][:17] == "31234567890120001"
    await shipping.admin.execute("UPDATE document_number SET last = 9999 WHERE kind = 'sscc:3123456789012'")
    late = Order(shipping)
    shipment = await late.shipment()
    await late.post(shipment, "pick")
    used_up = await late.post(shipment, "packages", lines=late.some("1"))
    assert (used_up.status_code, used_up.json()["type"]) == (409, "urn:tailrace:problem:sscc-used-up")
    assert await _parcels(late, shipment) == []
    await shipping.client.put("/v1/shipments/labelling", json=LABELLING)
    await late.post(shipment, "packages", lines=late.some("1"))
    assert (await _parcels(late, shipment))[0]["sscc"][:17] == "34912345000000006"


async def test_labels_are_documents_and_say_what_the_parcel_holds(order: Order, shipping: Harness) -> None:
    await shipping.client.put("/v1/shipments/labelling", json=LABELLING)
    shipment = await order.shipment()
    await order.post(shipment, "pick")
    bolts = [{**order.some("10")[0], **GOODS}]
    size = {"length_mm": 300, "width_mm": 200, "height_mm": 100}
    one = await order.post(shipment, "packages", lines=bolts, weight_grams=1250, **size)
    assert one.json()["packages"][0]["lines"] == [{"line_id": str(order.bolts), "quantity": "10", **GOODS}]
    await order.post(shipment, "packages", lines=order.some(None, "2.5"))
    for language, query in (("ja", {}), ("en", {"language": "en"})):
        answer = await shipping.client.get(f"/v1/shipments/{shipment}/labels", params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
        assert f"/Lang({language})".encode() in answer.content or language.encode() in answer.content
        assert re.search(rb"/Type/Pages/Count 2\b", answer.content)
    (packed, _) = await shipping.published(ShipmentPacked)
    assert packed.event.packages[0].lines[0].gtin == GOODS["gtin"]
    stranger = shipping.client_as(tenant=shipping.other_tenant)
    assert (await stranger.get(f"/v1/shipments/{shipment}/labels")).status_code == 404
    assert (await stranger.get("/v1/shipments/labelling")).json()["company_prefix"] is None


async def test_what_a_parcel_cannot_be_is_refused_by_field(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    await order.post(shipment, "pick")
    for wrong, field in (
        ({"lines": [{**order.some("1")[0], "gtin": "6291041500214"}]}, "/lines/0/gtin"),
        ({"lines": [{**order.some("1")[0], "gtin": "123"}]}, "/lines/0/gtin"),
        ({"lines": [{**order.some("1")[0], "lot": "ロット"}]}, "/lines/0/lot"),
        ({"lines": order.some("1"), "weight_grams": 0}, "/weight_grams"),
        ({"lines": order.some("1"), "length_mm": 5}, "/length_mm"),
    ):
        answer = await order.post(shipment, "packages", **wrong)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    for prefix in ("123", "1234567890123", "49X2345"):
        answer = await shipping.client.put("/v1/shipments/labelling", json={**LABELLING, "company_prefix": prefix})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/company_prefix")


async def test_nobody_means_a_last_day_that_is_far_off(order: Order) -> None:
    shipment = await order.shipment()
    await order.post(shipment, "pick")
    for day in ("1999-12-31", "2199-01-01"):
        (line,) = order.some("1")
        refused = await order.post(shipment, "packages", lines=[{**line, "expires_on": day}])
        said = (refused.status_code, refused.json()["type"], refused.json()["errors"][0]["field"])
        assert said == (422, "urn:tailrace:problem:implausible-date", "/lines/0/expires_on")


async def test_a_company_says_how_long_goods_may_be_good(order: Order, shipping: Harness, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    policy = TenantDatePolicyChanged(
        tenant_id=shipping.tenant, bounds=[DateBounds(kind="expiry", days_back=1, days_ahead=2)]
    )
    await shipping.deliver(policy, aggregate_id=shipping.tenant)
    shipment = await order.shipment()
    await order.post(shipment, "pick")
    (line,) = order.some("1")
    for day, status in (("2026-11-25", 422), ("2026-11-30", 422), ("2026-11-29", 200)):
        answer = await order.post(shipment, "packages", lines=[{**line, "expires_on": day}])
        assert (answer.status_code == 422) == (status == 422), answer.text
