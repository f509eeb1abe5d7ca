"""On the real stack: an order's goods are packed, quoted, booked with a carrier that refuses first, labelled, sent, and followed
to the door, until the carrier says by itself that it is there."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from company import Company
from signing import Signing

from tailrace.stack.embedded import Stack
from tailrace.stack.layout import HOST
from tailrace_testing.gateway import Gateway, eventually

TOKYO = {"lines": ["1-1 Chiyoda"], "city": "Tokyo", "postal_code": "100-0001", "country": "JP"}
TARIFFS = """code,name,carrier,service,currency,valid_from,days,fuel_rate,rates.country,rates.postal_prefix,rates.up_to_grams,rates.price
SLOW,Slow,KITE,standard,EUR,2026-01-01,4,0.125,JP,10,2000,1500
SLOW,,,,,,,,JP,,2000,1900
FAST,Fast,KITE,express,EUR,2026-01-01,1,0,JP,,2000,2600
"""


@pytest.fixture
async def stubs(fleet: Stack) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://{HOST}:{fleet.plan.ports.services['stubs']}", timeout=60) as client:
        yield client
        await client.put("/stubs/faults", json=[])


async def test_an_order_is_carried_to_the_door(fleet: Stack, gateway: Gateway, stubs: httpx2.AsyncClient) -> None:
    company = await Company.found(gateway)
    member = company.member
    await member.post("/v1/carriers", {"code": "KITE", "name": "Kite Express", "bookable": True})
    job = await _import(company)
    assert job["counts"] == {"created": 2}
    labelling = {"company_prefix": "4912345", "sender": "Tailrace K.K.", "language": "ja"}
    assert (await member.send("PUT", "/v1/shipments/labelling", json=labelling)).status_code == 200

    order = await company.order(3, ship_to=TOKYO)
    (shipment,) = await eventually(lambda: company.shipments(order["id"]), bool, what="a shipment")
    at = f"/v1/shipments/{shipment['id']}"
    await member.post(f"{at}/pick", {})
    parcel = {"lines": [{"line_id": shipment["lines"][0]["line_id"], "quantity": "3"}], "weight_grams": 1700}
    packed = await member.post(f"{at}/packages", parcel)
    assert (packed["status"], packed["packages"][0]["sscc"][:8]) == ("packed", "04912345")
    quotes = await member.get(f"{at}/rates")
    # 15.00 and an eighth for fuel, 187.5 cents, half up.
    assert [(each["code"], each["total"]) for each in quotes["quotes"]] == [("SLOW", 1688), ("FAST", 2600)]

    refusal = {"partner": "carrier", "path": "/bookings", "kind": "status", "status": 422, "times": 1}
    (await stubs.put("/stubs/faults", json=[refusal])).raise_for_status()
    booking = await member.post("/v1/bookings", {"shipment_id": shipment["id"], "choice": "cheapest"})
    assert (booking["quoted"], booking["reason"]) == (1688, "16.88 EUR: the lowest of 2.")

    async def shown() -> Any:
        return (await member.get(at))["booking"]

    failed = await eventually(shown, lambda found: found["status"] != "requested", what="the refusal")
    assert (failed["status"], failed["failure"]) == ("failed", "status-422")
    way = f"/v1/bookings/{booking['id']}"
    await member.post(f"{way}/retry")
    booked = await eventually(shown, lambda found: found["status"] == "booked", what="the booking")
    asked = (await stubs.get("/stubs/log", params={"partner": "carrier", "contains": booking["id"]})).json()
    assert [(each["method"], each["fault"]) for each in asked] == [("POST", "status"), ("POST", None)]

    labels = await member.send("GET", f"{at}/labels")
    assert (labels.headers["content-type"], labels.content[:5]) == ("application/pdf", b"%PDF-")
    sent = await member.post(f"{at}/dispatch", {})
    assert (sent["tracking_number"], sent["carrier_id"]) == (booked["tracking_number"], booked["carrier_id"])
    now = datetime.now(UTC) + timedelta(hours=1)
    said = [("b", "in_transit", 1), ("a", "picked_up", 0), ("c", "delivered", 2)]
    steps = [{"reference": r, "state": s, "at": (now + timedelta(hours=h)).isoformat()} for r, s, h in said]
    await stubs.put(f"/carrier/ways/{booking['id']}", json=steps[:2])
    await member.post(f"{way}/track")
    await eventually(shown, lambda found: found["tracking"] == "in_transit", what="the way that was asked for")
    # That it was delivered, the carrier says by itself, as often as it likes; nobody else can.
    secret = fleet.environment["PARTNER_SECRET_CARRIER_CALLBACKS"]
    path = json.loads(asked[0]["body"])["callback"]
    told = {"reference": booking["id"], "steps": steps}
    assert [await _say(gateway, path, told, secret) for _ in range(2)] == [204, 204]
    forged = await _say(gateway, path, told, base64.b64encode(bytes(32)).decode())
    assert forged == 401
    there = await eventually(lambda: member.get(at), lambda found: found["status"] == "delivered", what="the delivery")
    assert (there["booking"]["tracking"], there["delivered_at"][:13]) == (
        "delivered",
        (now + timedelta(hours=2)).isoformat()[:13],
    )
    delivered = await member.get(way)
    assert [each["state"] for each in delivered["steps"]] == ["picked_up", "in_transit", "delivered"]
    await eventually(lambda: company.read(order["id"]), lambda o: o["shipment"] == "full", what="the order shipped")


async def _say(gateway: Gateway, path: str, said: Any, secret: str) -> int:
    async with httpx2.AsyncClient(base_url=gateway.url, timeout=60) as anonymous:
        return (await anonymous.post(path, json=said, auth=Signing(secret))).status_code


async def _import(company: Company) -> Any:
    """Tariffs from a file, once the job is through."""
    member = company.member
    headers = {"Content-Type": "text/csv"}
    answer = await member.send("POST", "/v1/tariffs/import", content=TARIFFS.encode(), headers=headers)
    assert answer.status_code == 202, answer.text
    at = f"/v1/tariffs/jobs/{answer.json()['id']}"
    return await eventually(lambda: member.get(at), lambda job: job["state"] == "succeeded", what="the import")
