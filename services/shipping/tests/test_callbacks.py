"""A carrier says by itself where a shipment is: only the carrier, only what is new, and never twice."""

import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from desk import Carrier, Desk, step
from signing import Signing

from contracts.carriage import BookingTracked
from tailrace_testing import Harness

SECRET = "whsec_QSBzZWNyZXQgdGhhdCBpcyBsb25nIGVub3VnaCE="
OTHER = "whsec_QW5vdGhlciBzZWNyZXQgb2YgdGhlIHNhbWUgbGVuZ3Ro"
NAME = "PARTNER_SECRET_CARRIER_CALLBACKS"


class Caller:
    """A carrier that calls back."""

    def __init__(self, h: Harness) -> None:
        self.h = h

    async def say(self, booking: str, steps: Sequence[dict[str, Any]], *, secret: str = SECRET, **how: Any) -> Any:
        body = json.dumps({"reference": booking, "steps": list(steps)}).encode()
        return await self.send(body, Signing(secret, **how).headers(body))

    async def send(self, body: bytes, headers: dict[str, str], tenant: UUID | None = None) -> Any:
        path = f"/v1/bookings/callbacks/{tenant or self.h.tenant}"
        json_and = {"Content-Type": "application/json", **headers}
        return await self.h.anonymous().post(path, content=body, headers=json_and)


@pytest.fixture
def caller(shipping: Harness, partner: Carrier, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setenv(NAME, SECRET)
    shipping.settings.partners["carrier"].callbacks = f"env:{NAME}"
    return Caller(shipping)


async def test_what_a_carrier_says_by_itself_is_kept_once_and_delivers(
    desk: Desk, partner: Carrier, caller: Caller
) -> None:
    id = await desk.booked(partner)
    (asked,) = partner.asked("bookings")
    assert asked["callback"] == f"/v1/bookings/callbacks/{caller.h.tenant}"
    await desk.order.post(desk.shipment, "dispatch", dispatched_at="2026-06-02T00:00:00Z")
    first = [step("b", "in_transit", "3T10:00:00", place="Osaka"), step("a", "picked_up", "2T09:00:00")]
    for _ in range(2):
        said = await caller.say(id, first)
        assert (said.status_code, said.content) == (204, b""), said.text
    assert (await desk.shown())["tracking"] == "in_transit"
    # What was asked for in between says the same again.
    partner.steps = first
    await partner.look()
    assert (await caller.say(id, [*first, step("c", "delivered", "4T09:00:00")], id="msg_2")).status_code == 204
    now = await desk.order.read(desk.shipment)
    assert (now["status"], now["delivered_at"]) == ("delivered", "2026-06-04T09:00:00Z")
    # Its way is over: nobody asks, and what is said behind that changes nothing.
    count = len(partner.asked("ways"))
    await partner.look()
    assert len(partner.asked("ways")) == count
    assert (await caller.say(id, [step("d", "lost", "5T09:00:00")], id="msg_3")).status_code == 204
    tracked = await desk.h.published(BookingTracked)
    assert [[s.reference for s in e.event.steps] for e in tracked] == [["b", "a"], ["c"]]
    assert {each.actor_id for each in tracked} == {"partner:carrier"}


async def test_nobody_but_the_carrier_says_anything(desk: Desk, partner: Carrier, caller: Caller) -> None:
    id = await desk.booked(partner)
    steps = [step("a", "delivered", "2T09:00:00")]
    body = json.dumps({"reference": id, "steps": steps}).encode()
    headers = Signing(SECRET).headers(body)
    later = str(int(time.time()) + 1)
    refused = [
        await caller.say(id, steps, secret=OTHER),
        await caller.say(id, steps, at=time.time() - 301),
        await caller.say(id, steps, at=time.time() + 330),
        await caller.send(body.replace(b"delivered", b"picked_up"), headers),
        await caller.send(body, {**headers, "webhook-id": "msg_9"}),
        await caller.send(body, {**headers, "webhook-timestamp": later}),
        await caller.send(body, {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")}),
        await caller.send(body, {**headers, "webhook-signature": ""}),
    ]
    assert [each.status_code for each in refused] == [401] * 8
    assert {each.json()["type"] for each in refused} == {"urn:tailrace:problem:unauthenticated"}
    # Whoever has no signature is told so before anything is said of what was sent.
    unsigned = await caller.send(b"{}", {})
    assert (unsigned.status_code, {e["field"] for e in unsigned.json()["errors"]} >= {"webhook-signature"}) == (
        422,
        True,
    )
    # While a secret is changed for another, both are sent.
    both = f"v1,bm90IHRoaXM= {headers['webhook-signature']}"
    strange = await caller.send(body, {**headers, "webhook-signature": both}, tenant=uuid4())
    assert strange.status_code == 404
    assert await desk.h.published("shipment.booking.tracked") == []
    assert (await caller.send(body, {**headers, "webhook-signature": both})).status_code == 204
    assert len(await desk.h.published("shipment.booking.tracked")) == 1


async def test_what_is_not_booked_yet_is_said_again_later(desk: Desk, partner: Carrier, caller: Caller) -> None:
    await desk.prepare()
    id = (await desk.book()).json()["id"]
    steps = [step("a", "picked_up", "2T09:00:00")]
    early = await caller.say(id, steps)
    assert (early.status_code, early.json()["type"]) == (409, "urn:tailrace:problem:booking-state")
    await partner.run()
    assert (await caller.say(id, steps)).status_code == 204
    assert (await desk.shown())["tracking"] == "picked_up"
    assert (await caller.say(str(uuid4()), steps)).status_code == 404
    assert (await caller.say(id, [])).status_code == 422


async def test_nothing_is_delivered_on_a_day_that_nobody_can_mean(desk: Desk, partner: Carrier, caller: Caller) -> None:
    id = await desk.booked(partner)
    await desk.order.post(desk.shipment, "dispatch", dispatched_at="2026-06-02T00:00:00Z")
    good = step("a", "in_transit", "3T10:00:00")
    for at in ("2199-01-01T00:00:00Z", "1999-12-31T00:00:00Z"):
        wrong = {**step("b", "delivered", "4T09:00:00"), "at": at}
        refused = await caller.say(id, [good, wrong])
        said = (refused.status_code, refused.json()["type"], refused.json()["errors"][0]["field"])
        assert said == (422, "urn:tailrace:problem:implausible-date", "/steps/1/at")
        # Nobody hears of a refusal when we were the ones who asked: what can be meant is taken.
        partner.steps = [good, wrong]
        await partner.look()
        assert ((await desk.order.read(desk.shipment))["status"], (await desk.shown())["tracking"]) == (
            "dispatched",
            "in_transit",
        )
    assert (await caller.say(id, [step("b", "delivered", "4T09:00:00")])).status_code == 204
    assert (await desk.order.read(desk.shipment))["delivered_at"] == "2026-06-04T09:00:00Z"


async def test_without_a_usable_secret_nobody_is_the_carrier(
    desk: Desk, partner: Carrier, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await desk.booked(partner)
    steps = [step("a", "picked_up", "2T09:00:00")]
    for secret in ("", "whsec_c2hvcnQ=", "not base64 at all"):
        monkeypatch.setenv(NAME, secret)
        assert (await caller.say(id, steps, secret="whsec_c2hvcnQ=")).status_code == 401, secret
    monkeypatch.setenv(NAME, SECRET)
    desk.h.settings.partners["carrier"].callbacks = None
    assert (await caller.say(id, steps)).status_code == 401
    desk.h.settings.partners = {}
    assert (await caller.say(id, steps)).status_code == 401
