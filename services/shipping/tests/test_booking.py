"""Carriers on a real port are asked to take shipments, whatever they do then: booked once, cancelled for good, tracked in any order."""

import asyncio
import json
from typing import Any

import pytest
from desk import Carrier, Desk, step
from ordered import Order
from partner import answer
from tariffs import RATES, carrier, kept, tariff

from contracts.carriage import BookingTracked
from contracts.orders import OrderHeld, ShipmentCancellationRequested


async def test_a_shipment_is_booked_leaves_by_it_and_is_tracked_to_the_door(desk: Desk, partner: Carrier) -> None:
    id = await desk.booked(partner)
    booked = await desk.read(id)
    assert (booked["status"], booked["tracking_number"], booked["quoted"], booked["cost"]) == (
        "booked",
        "TR1",
        800,
        620,
    )
    assert booked["reason"] == "800 JPY: the only tariff that is for it."
    (asked,) = partner.asked("bookings")
    assert (asked["reference"], asked["service"], asked["country"], asked["weight_grams"]) == (
        id,
        "standard",
        "JP",
        1200,
    )
    sent = (await desk.order.post(desk.shipment, "dispatch", dispatched_at="2026-06-02T00:00:00Z")).json()
    assert (sent["status"], sent["tracking_number"], sent["carrier_id"]) == ("dispatched", "TR1", desk.carrier)
    # Said out of order, again, and with one more each time: once each, and the state never goes back.
    late = step("c", "in_transit", "3T10:00:00", place="Osaka")
    partner.steps = [late]
    await partner.look()
    partner.steps = [step("a", "picked_up", "2T09:00:00"), late, late]
    await partner.look()
    assert (await desk.shown())["tracking"] == "in_transit"
    partner.steps += [step("d", "delivered", "1T09:00:00", detail="At the door"), step("e", "exception", "4T09:00:00")]
    await partner.look()
    now = await desk.order.read(desk.shipment)
    # By the carrier's clock it came before it left.
    assert (now["status"], now["delivered_at"], now["note"]) == ("delivered", "2026-06-02T00:00:00Z", "At the door")
    tracked = [e.event for e in await desk.h.published(BookingTracked)]
    assert [[s.reference for s in e.steps] for e in tracked] == [["c"], ["a"], ["d", "e"]]
    assert [e.state for e in tracked] == ["in_transit", "in_transit", "delivered"]
    assert {str(e.order_id) for e in tracked} == {now["order_id"]}
    assert (await desk.read(id))["ended"] is True
    count = len(partner.asked("ways"))
    await partner.look()
    assert len(partner.asked("ways")) == count == 3
    assert (await desk.act(id, "track")).status_code == 409


@pytest.mark.parametrize(
    "bad",
    [
        {"tracking_number": "AB\0C"},
        {"tracking_number": "AB\u202eC"},
        {"tracking_number": "TR1", "cost": "1250", "currency": "EUR"},
        {"tracking_number": "TR1", "cost": True, "currency": "EUR"},
    ],
)
async def test_an_answer_that_nobody_can_keep_is_asked_for_again(
    desk: Desk, partner: Carrier, monkeypatch: pytest.MonkeyPatch, bad: dict[str, Any]
) -> None:
    monkeypatch.setattr("tailrace.errands.runner.full_jitter", lambda *_: 60.0)
    partner.says["bookings"] = [answer(201, json.dumps(bad).encode())]
    id = await desk.booked(partner)
    assert (await desk.read(id))["status"] == "requested"
    assert await desk.h.admin.fetchval("SELECT last_error FROM errand") == "unreadable"
    await partner.run()
    assert ((await desk.read(id))["tracking_number"], len(partner.asked("bookings"))) == ("TR1", 2)


async def test_a_step_said_both_ways_is_one_and_kept_in_one_spelling(desk: Desk, partner: Carrier) -> None:
    """What a carrier says besides, that nobody asked for, is passed over, and what is of no day that anybody means left out."""
    id = await desk.booked(partner)
    said = [
        step("  cafe\u0301 ", "in_transit", "3T10:00:00", place="Orle\u0301ans", depot=7),
        step("b", "picked_up", "2T09:00:00"),
        {"reference": "c", "state": "lost", "at": "0001-01-01T00:00:00+05:00"},
    ]
    partner.steps = said
    await partner.look()
    partner.steps = [step("caf\u00e9", "in_transit", "3T10:00:00"), said[1]]
    await partner.look()
    tracked = [step for each in await desk.h.published(BookingTracked) for step in each.event.steps]
    assert [(each.reference, each.place) for each in tracked] == [("caf\u00e9", "Orl\u00e9ans"), ("b", None)]
    assert len((await desk.read(id))["steps"]) == 2


async def test_a_refusal_shows_on_the_shipment_and_a_person_asks_again(
    desk: Desk, partner: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first pause may be next to nothing, and then one run has both answers.
    monkeypatch.setattr("tailrace.errands.runner.full_jitter", lambda *_: 60.0)
    partner.says["bookings"] = [answer(503), answer(422, b'{"title": "No such street"}')]
    id = await desk.booked(partner)
    assert (await desk.shown())["status"] == "requested"
    assert (await desk.act(id, "retry")).json()["type"] == "urn:tailrace:problem:booking-state"
    await partner.run()
    shown = await desk.shown()
    assert (shown["status"], shown["failure"]) == ("failed", "status-422")
    assert [
        e["id"] for e in (await desk.h.client.get("/v1/bookings", params={"status": "failed"})).json()["items"]
    ] == [id]
    assert (await desk.act(id, "retry")).json()["status"] == "requested"
    await partner.run()
    assert (await desk.shown())["status"] == "booked"
    assert {each["reference"] for each in partner.asked("bookings")} == {id}
    assert await desk.types() == ["requested", "failed", "requested", "confirmed"]


async def test_what_is_asked_for_again_is_at_a_price_that_holds(desk: Desk, partner: Carrier) -> None:
    """Between the two, what failed may be packed otherwise, and tariffs change."""
    await desk.prepare()
    id = (await desk.book()).json()["id"]
    partner.says["bookings"] = [answer(422, b"{}")]
    await partner.run()
    read = await desk.h.client.get(f"/v1/tariffs/{desk.tariff}")
    dearer = {**tariff(desk.carrier, "T", days=2), "rates": [{**RATES[1], "price": 900}]}
    at = {"If-Match": read.headers["etag"]}
    assert (await desk.h.client.put(f"/v1/tariffs/{desk.tariff}", json=dearer, headers=at)).status_code == 200
    refused = await desk.act(id, "retry")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:not-bookable"), refused.text
    assert "900" in refused.json()["detail"]
    assert (await desk.h.client.delete(f"/v1/tariffs/{desk.tariff}")).status_code == 204
    assert (await desk.act(id, "retry")).json()["type"] == "urn:tailrace:problem:not-bookable"
    assert (await desk.h.client.post(f"/v1/tariffs/{desk.tariff}/restore")).status_code == 200
    again = await desk.book()
    assert (again.status_code, again.json()["quoted"]) == (201, 900)


async def test_a_shipment_is_booked_once_and_stays_packed_as_it_was(desk: Desk, partner: Carrier) -> None:
    await desk.prepare()
    answers = await asyncio.gather(*(desk.book(tariff_id=desk.tariff) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    await partner.run()
    assert len(partner.asked("bookings")) == 1
    (parcel,) = (await desk.order.read(desk.shipment))["packages"]
    unpack = await desk.h.client.delete(f"/v1/shipments/{desk.shipment}/packages/{parcel['id']}")
    assert (unpack.status_code, unpack.json()["type"]) == (409, "urn:tailrace:problem:already-booked")
    in_use = await desk.h.client.delete(f"/v1/carriers/{desk.carrier}")
    assert in_use.status_code == 409


async def test_what_is_cancelled_before_the_answer_is_cancelled_behind_it(desk: Desk, partner: Carrier) -> None:
    await desk.prepare()
    id = (await desk.book()).json()["id"]
    assert (await desk.act(id, "cancel", reason="Changed our minds")).json()["status"] == "cancelling"
    assert (await desk.book()).status_code == 409
    await partner.run()
    assert len(partner.asked("bookings")) == 1
    assert ((await desk.read(id))["status"], partner.asked("cancellations")) == ("cancelled", [{"reference": id}])
    # A carrier that does not let go has it, whenever it was told.
    other = (await desk.book()).json()["id"]
    partner.says["cancellations"] = [answer(409)]
    await desk.act(other, "cancel", reason="Too late")
    await partner.run()
    kept_one = await desk.read(other)
    assert (kept_one["status"], kept_one["failure"], kept_one["tracking_number"]) == ("booked", "status-409", "TR1")
    # It left by hand; what becomes of the booked one is not what becomes of the shipment.
    await desk.order.post(desk.shipment, "dispatch", tracking_number="BY-HAND")
    partner.says["cancellations"] = [answer(409)]
    await partner.run()
    partner.steps = [step("x", "delivered", "3T10:00:00")]
    await partner.look()
    assert ((await desk.read(other))["tracking"], (await desk.order.read(desk.shipment))["status"]) == (
        "delivered",
        "dispatched",
    )
    await desk.act(other, "cancel", reason="Once more")
    await partner.run()
    assert (await desk.read(other))["status"] == "cancelled"


@pytest.mark.parametrize("how", ["by hand", "cancelled", "nobody to tell"])
async def test_a_booking_ends_with_what_it_was_for(how: str, desk: Desk, partner: Carrier) -> None:
    id = await desk.booked(partner)
    if how == "nobody to tell":
        desk.h.settings.partners = {}
    if how == "by hand":
        sent = await desk.order.post(desk.shipment, "dispatch", tracking_number="BY-HAND")
        assert (sent.status_code, sent.json()["tracking_number"], sent.json()["carrier_id"]) == (200, "BY-HAND", None)
    else:
        await desk.order.hear(ShipmentCancellationRequested(order_id=desk.order.id, reason="customer"))
        assert (await desk.order.read(desk.shipment))["status"] == "cancelled"
    await partner.run()
    now = await desk.read(id)
    expected = ("booked", "no-partner") if how == "nobody to tell" else ("cancelled", None)
    assert (now["status"], now["failure"]) == expected


async def test_what_cannot_be_booked_says_why(desk: Desk, partner: Carrier) -> None:
    await desk.prepare()
    by_hand = await kept(desk.h, tariff(await carrier(desk.h, "HAND"), "H"))
    far = await kept(desk.h, tariff(desk.carrier, "FAR", rates=[{**RATES[0], "country": "DE"}]))
    for by, status, slug in (
        ({"tariff_id": by_hand}, 409, "not-bookable"),
        ({"tariff_id": far}, 409, "not-bookable"),
        ({"tariff_id": desk.carrier}, 422, "invalid"),
        ({"tariff_id": far, "choice": "fastest"}, 422, "invalid"),
    ):
        refused = await desk.book(**by)
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (status, slug), by
    await desk.order.hear(OrderHeld(order_id=desk.order.id, reason="credit limit"))
    assert (await desk.book()).json()["type"] == "urn:tailrace:problem:shipment-held"
    desk.order = Order(desk.h)
    desk.shipment = await desk.order.shipment()
    assert (await desk.book()).json()["type"] == "urn:tailrace:problem:not-packed"
    await desk.order.post(desk.shipment, "dispatch")
    assert (await desk.book()).json()["type"] == "urn:tailrace:problem:shipment-state"
    assert partner.asked("bookings") == []
