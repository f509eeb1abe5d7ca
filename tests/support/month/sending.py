"""Parcels on their way: packed, booked and sent; and what is said of them, by the carrier by itself, and by who signs at the door."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
from signing import Signing

from tailrace_testing.gateway import eventually

if TYPE_CHECKING:
    from month.trading import Trading

Steps = list[dict[str, str]]


async def book(month: "Trading", shipment: dict[str, Any]) -> str:
    """Pack all of it into one parcel that a carrier takes. Returns the booking's id."""
    member, at = month.firm.member, f"/v1/shipments/{shipment['id']}"
    await member.post(f"{at}/pick", {})
    packed = [{"line_id": each["line_id"], "quantity": each["quantity"]} for each in shipment["lines"]]
    await member.post(f"{at}/packages", {"lines": packed, "weight_grams": 1700})
    booking = await member.post("/v1/bookings", {"shipment_id": shipment["id"], "choice": "cheapest"})
    way = f"/v1/bookings/{booking['id']}"
    await eventually(lambda: member.get(way), lambda now: now["status"] == "booked", what="the booking")
    return str(booking["id"])


async def deliver_in_part(month: "Trading") -> None:
    """Two parcels of one order. The first arrives; the second is refused at the door, and the carrier brings it back."""
    firm, customer = month.firm, month.firm.customers[2]
    line = {**month.line(), "quantity": str(month.dice.randint(2, 8))}
    to = {"lines": ["2 Quay"], "city": "Town", "country": firm.kind.country}
    order = await month.place([line], customer, ship_to=to)
    whole = await month.shipment_of(order)
    part = {"line_id": whole["lines"][0]["line_id"], "quantity": "1"}
    split = await firm.member.post(f"/v1/shipments/{whole['id']}/split", {"lines": [part]})
    month.open_orders.remove(order)
    parcels = [split, await firm.member.get(f"/v1/shipments/{whole['id']}")]
    bookings = [await book(month, each) for each in parcels]
    for each in parcels:
        await month.dispatch(order, each["id"], {one["line_id"]: one["quantity"] for one in each["lines"]})
        month.arrived.add(each["id"])
    first, second = (parcel["id"] for parcel in parcels)
    taken, under_way = _step(month, "picked_up"), _step(month, "in_transit")
    # This carrier's clock is behind: by it, the parcel was there before it left.
    early = {**_step(month, "delivered"), "at": (datetime.fromisoformat(taken["at"]) - timedelta(hours=6)).isoformat()}
    calls: list[Steps] = [[under_way], [taken, under_way], [early, taken], [_step(month, "exception")]]
    for said in calls:
        await _say(month, first, bookings[0], said)
    refused: list[Steps] = [[_step(month, state)] for state in ("picked_up", "exception", "returned")]
    for said in (*refused, refused[0]):
        await _say(month, second, bookings[1], said)
    month.refused.append(second)
    month.tales.add("delivered in part")


async def sign(month: "Trading") -> None:
    """Somebody takes goods in at the door, of which no carrier has said anything."""
    found = [id for id in month.gone if id not in month.arrived]
    if not found:
        return
    id, at = month.dice.choice(found), month.firm.tick(7)
    month.arrived.add(id)
    await month.firm.member.post(f"/v1/shipments/{id}/deliver", {"signed_by": "Bo Buyer", "delivered_at": at})
    month.did("signed", shipment=id, at=at)


def _step(month: "Trading", state: str) -> dict[str, str]:
    return {"reference": state, "state": state, "at": month.firm.tick(5)}


async def _say(month: "Trading", shipment: str, booking: str, steps: Steps) -> None:
    """The carrier calls until it is answered."""
    member, body = month.firm.member, {"reference": booking, "steps": steps}
    path = f"/v1/bookings/callbacks/{member.tenant_id}"

    async def called() -> bool:
        with suppress(httpx2.TransportError):
            answer = await member.client.post(path, json=body, auth=Signing(month.firm.signs))
            assert answer.status_code in {204, 429} or answer.status_code >= 500, answer.text
            return answer.status_code == 204
        return False

    await eventually(called, bool, what="the carrier's call")
    month.did("carrier_said", shipment=shipment, steps=steps)
