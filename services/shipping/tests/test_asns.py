"""What leaves is announced by its parcels, and what comes is taken in parcel by parcel, with what differs."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from ordered import Order

from contracts import catalog
from contracts.asns import AsnCreated, AsnReceived, AsnScanned
from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

ONE, TWO, THREE, STRANGE = "376104250021234569", "049123450000000019", "049123450000000026", "049123450000000033"
LOT = {"sku": "ROD", "name": "Rod", "quantity": "5", "gtin": "6291041500213", "lot": "H-1", "expires_on": "2027-01-31"}


def parcel(sscc: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"sscc": sscc, "lines": list(lines or ({"sku": "ROD", "quantity": "5"},))}


class Door:
    """Where deliveries come in."""

    def __init__(self, shipping: Harness) -> None:
        self.h = shipping

    async def announce(self, *parcels: dict[str, Any], **more: Any) -> Any:
        body = {"supplier_name": "Rods Ltd", "reference": "D-1", "packages": list(parcels), **more}
        return await self.h.client.post("/v1/asns", json=body)

    async def act(self, id: str, what: str, **body: Any) -> Any:
        return await self.h.client.post(f"/v1/asns/{id}/{what}", json=body or ({} if what == "arrive" else None))


@pytest.fixture
def door(shipping: Harness) -> Door:
    return Door(shipping)


async def test_nobody_means_a_day_that_is_far_off(door: Door) -> None:
    for day in ("1999-12-31", "2199-01-01"):
        refused = (await door.announce(parcel(ONE), expected_on=day)).json()
        said = (refused["type"], refused["errors"][0]["field"])
        assert said == ("urn:tailrace:problem:implausible-date", "/expected_on")
    policy = TenantDatePolicyChanged(
        tenant_id=door.h.tenant, bounds=[DateBounds(kind="expected_delivery", days_back=0, days_ahead=0)]
    )
    await door.h.deliver(policy, aggregate_id=door.h.tenant)
    for days in (-2, 2):
        refused = (await door.announce(parcel(ONE), expected_on=str(clock.now().date() + timedelta(days=days)))).json()
        assert refused["errors"][0]["field"] == "/expected_on"
    good = {"sku": "ROD", "quantity": "1"}
    for day in ("1999-12-31", "2199-01-01"):
        bad = {**good, "expires_on": day}
        id = (await door.announce(parcel(ONE, {**good, "expires_on": "2020-01-31"}), reference=day)).json()["id"]
        await door.act(id, "arrive")
        for answer, field in (
            (await door.announce(parcel(ONE), parcel(TWO, good, bad)), "/packages/1/lines/1/expires_on"),
            (await door.act(id, "scan", sscc=ONE, lines=[good, bad]), "/lines/1/expires_on"),
        ):
            refused = answer.json()
            told = (answer.status_code, refused["type"], refused["errors"][0]["field"])
            assert told == (422, "urn:tailrace:problem:implausible-date", field)


async def test_a_delivery_of_a_plain_day_came_on_the_companys(door: Door) -> None:
    await door.h.count_days_in("Asia/Tokyo")
    id = (await door.announce(parcel(ONE))).json()["id"]
    refused = await door.act(id, "arrive", arrived_at="2199-01-01")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/arrived_at")
    yesterday = clock.now().date() - timedelta(days=1)
    came = (await door.act(id, "arrive", arrived_at=str(yesterday))).json()
    assert came["arrived_at"] == f"{yesterday - timedelta(days=1)}T15:00:00Z"


async def test_what_came_is_told_with_every_difference(door: Door, shipping: Harness) -> None:
    made = (await door.announce(parcel(ONE, LOT), parcel(TWO), parcel(THREE))).json()
    id = made["id"]
    assert (made["number"], made["status"], made["differences"]) == ("ASN-000001", "announced", [])
    assert (await door.act(id, "scan", sscc=ONE)).json()["type"] == "urn:tailrace:problem:asn-state"
    assert (await door.act(id, "arrive")).json()["status"] == "arrived"
    assert (await door.act(id, "scan", sscc=ONE)).json()["packages"][0]["received"][0]["lot"] == "H-1"
    again = await door.act(id, "scan", sscc=ONE)
    assert (again.status_code, again.json()["type"]) == (409, "urn:tailrace:problem:already-scanned")
    found = [{"sku": "ROD", "quantity": "4"}, {"sku": "NUT", "quantity": "1"}]
    await door.act(id, "scan", sscc=TWO, lines=found)
    unexplained = await door.act(id, "scan", sscc=STRANGE)
    assert (unexplained.status_code, unexplained.json()["errors"][0]["field"]) == (422, "/lines")
    await door.act(id, "scan", sscc=STRANGE, lines=[{"sku": "ROD", "quantity": "2", "lot": "H-9"}])
    done = (await door.act(id, "receive")).json()
    expected = [
        (TWO, "NUT", None, "0", "1"),
        (TWO, "ROD", None, "5", "4"),
        (THREE, "ROD", None, "5", "0"),
        (STRANGE, "ROD", "H-9", "0", "2"),
    ]
    assert [tuple(each.values()) for each in done["differences"]] == expected
    (told,) = await shipping.published(AsnReceived)
    event = told.event.model_dump(mode="json")
    assert [tuple(each.values()) for each in event["differences"]] == expected
    assert [each["sscc"] for each in event["packages"]] == [ONE, TWO, STRANGE]
    scans = [e.event.announced for e in await shipping.published(AsnScanned)]
    assert scans == [True, True, False]
    for what in ("arrive", "receive"):
        assert (await door.act(id, what)).status_code == 409
    listed = await shipping.client.get("/v1/asns", params={"sscc": STRANGE, "status": "received"})
    assert [each["id"] for each in listed.json()["items"]] == [id]


async def test_goods_and_lots_are_the_same_in_every_spelling(door: Door) -> None:
    id = (await door.announce(parcel(ONE, {"sku": "Rod", "quantity": "5", "lot": "h-1"}))).json()["id"]
    await door.act(id, "arrive")
    found = [{"sku": "ROD", "quantity": "3", "lot": "H-1"}, {"sku": "rod", "quantity": "1", "lot": "h-1"}]
    await door.act(id, "scan", sscc=ONE, lines=found)
    (difference,) = (await door.act(id, "receive")).json()["differences"]
    assert tuple(difference.values()) == (ONE, "Rod", "h-1", "5", "4")


async def test_a_delivery_is_announced_once_and_scanned_by_several(door: Door) -> None:
    id = (await door.announce(parcel(ONE), parcel(TWO))).json()["id"]
    twice = await door.announce(parcel(THREE))
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:tailrace:problem:already-announced")
    for said in ({"reference": "Ｄ－1"}, {"reference": "d-1"}, {"supplier_name": "ＲＯＤＳ ltd"}):
        again = await door.announce(parcel(THREE), **said)
        assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "/reference"), said
    assert (await door.announce(parcel(ONE), supplier_name="Others")).status_code == 201
    await door.act(id, "arrive")
    scans = await asyncio.gather(*(door.act(id, "scan", sscc=sscc) for sscc in (ONE, TWO, ONE)))
    assert sorted(each.status_code for each in scans) == [200, 200, 409]
    assert (await door.h.client.get(f"/v1/asns/{id}")).json()["differences"] == []
    for wrong, field in (
        ({"packages": [parcel(ONE[:-1] + "0")]}, "/packages/0/sscc"),
        ({"packages": [parcel(ONE), parcel(ONE)]}, "/packages/1/sscc"),
        ({"packages": []}, "/packages"),
        ({"packages": [{"sscc": ONE, "lines": []}]}, "/packages/0/lines"),
    ):
        answer = await door.announce(reference="D-2", **wrong)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text


async def test_no_more_of_an_item_comes_than_is_counted(door: Door) -> None:
    """Who keeps what came adds up the parcels, and so has to be able to write the sum down."""
    most = {"sku": "ROD", "quantity": "999999999999"}
    refused = await door.announce(parcel(ONE, most), parcel(TWO, most))
    assert (refused.status_code, "ROD" in refused.json()["detail"]) == (422, True), refused.text
    # Two lots are counted each by itself, and what was only announced may differ.
    id = (await door.announce(parcel(ONE, most, {**most, "lot": "H-1"}))).json()["id"]
    await door.act(id, "arrive")
    assert (await door.act(id, "scan", sscc=ONE)).status_code == 200
    for quantity, status in (("1", 422), ("0.999999", 200)):
        scanned = await door.act(id, "scan", sscc=STRANGE, lines=[{"sku": "ROD", "quantity": quantity}])
        assert scanned.status_code == status, scanned.text
    assert (await door.act(id, "receive")).status_code == 200


async def test_what_leaves_is_announced_by_its_parcels(order: Order, shipping: Harness) -> None:
    await Order(shipping).packed()
    plain = await order.packed()
    await order.post(plain, "dispatch")
    assert await shipping.published(AsnCreated) == []
    await shipping.client.put("/v1/shipments/labelling", json={"company_prefix": "4912345"})
    other = Order(shipping)
    shipment = await other.packed(lines=[{**other.some("10")[0], "lot": "H-1"}, *other.some(None, "2.5")])
    await other.post(shipment, "dispatch")
    (told,) = await shipping.published(AsnCreated)
    event = told.event.model_dump(mode="json", exclude_none=True)
    assert (event["direction"], event["reference"], event["shipment_id"]) == ("outbound", "PO 7", shipment)
    (package,) = event["packages"]
    assert (package["sscc"], package["weight_grams"]) == (ONE_OF_OURS, 1200)
    assert package["lines"] == [
        {"sku": "BOLT", "name": "Bolt", "quantity": "10", "lot": "H-1"},
        {"sku": "FLOUR", "name": "Flour", "quantity": "2.5"},
    ]
    (shown,) = (await shipping.client.get("/v1/asns", params={"shipment_id": shipment})).json()["items"]
    assert (await shipping.client.post(f"/v1/asns/{shown['id']}/arrive", json={})).status_code == 409


ONE_OF_OURS = "049123450000000019"


async def test_what_comes_is_counted_in_a_unit_of_its_item(door: Door) -> None:
    h = door.h
    ids = {name: uuid7() for name in ("LAPTOP", "BOLT", "CABLE", "pcs", "kg")}
    units = {"pcs": ("count", "1", 0), "kg": ("mass", "1", 6)}
    for code, (dimension, factor, decimals) in units.items():
        of: dict[str, Any] = {"dimension": dimension, "factor": factor, "decimals": decimals}
        made = catalog.UnitCreated(unit_id=ids[code], code=code, name=code, **of)
        await h.deliver(made, aggregate_id=made.unit_id)
    further = [catalog.UnitConversion(unit=unit, factor=Decimal(factor)) for unit, factor in (("box", 12), ("kg", 4))]
    for sku, unit, conversions in (("LAPTOP", "pcs", []), ("BOLT", "pcs", further), ("CABLE", "m", [])):
        item = catalog.ItemCreated(item_id=ids[sku], sku=sku, name=sku, unit=unit, conversions=conversions)
        await h.deliver(item, aggregate_id=item.item_id)

    async def fault(sku: str, quantity: str) -> tuple[str, str] | None:
        body = {"sku": sku, "quantity": quantity}
        answer = await door.announce(
            parcel(ONE), parcel(TWO, {"sku": "ROD", "quantity": "0.333333"}, body), reference=str(uuid7())
        )
        if answer.status_code == 201:
            return None
        return answer.json()["type"].rpartition(":")[2], answer.json()["errors"][0]["field"]

    too_fine = ("conversion-inexact", "/packages/1/lines/1/quantity")
    # In another spelling it is the same item.
    for sku in ("LAPTOP", "ｌaptop"):
        assert [await fault(sku, quantity) for quantity in ("2", "1.5", "0.000001")] == [None, too_fine, too_fine]
    # Half a box is six, a quarter of a kilogram one; of nothing 0.2 pieces.
    assert [await fault("BOLT", quantity) for quantity in ("0.5", "0.25", "0.05")] == [None, None, too_fine]
    # The supplier's own code, and an item whose unit is on its way.
    assert await fault("A-1", "0.000001") is None
    assert await fault("CABLE", "1") == ("not-yet-known", "/packages/1/lines/1/sku")
    id = (await door.announce(parcel(ONE, {"sku": "LAPTOP", "quantity": "2"}))).json()["id"]
    await door.act(id, "arrive")
    found = [{"sku": "LAPTOP", "quantity": "1"}, {"sku": "LAPTOP", "quantity": "0.5"}]
    refused = await door.act(id, "scan", sscc=ONE, lines=found)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/lines/1/quantity")
    # What is no item here any more is a code of the supplier's.
    gone = catalog.ItemDeleted(item_id=ids["LAPTOP"], sku="LAPTOP")
    await h.deliver(gone, aggregate_id=gone.item_id)
    assert (await door.act(id, "scan", sscc=ONE, lines=found)).status_code == 200
