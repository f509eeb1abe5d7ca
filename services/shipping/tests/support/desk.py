"""Who books, and the carrier that is asked: on a real port, doing as a test says."""

import json
from typing import Any

from ordered import Order
from partner import Asked, PartnerListener, answer
from tariffs import carrier, kept, tariff

from tailrace_testing import Harness


class Carrier:
    """Does what it is asked, unless `says` has an answer for the path."""

    def __init__(self, h: Harness, listener: PartnerListener) -> None:
        self.h, self.listener = h, listener
        self.says: dict[str, list[bytes]] = {}
        self.steps: list[dict[str, Any]] = []
        listener.decide = self._decide

    def _decide(self, asked: Asked) -> bytes:
        path = asked.line.split()[1].split("/")[1]
        if waiting := self.says.get(path):
            return waiting.pop(0)
        if path == "bookings":
            return answer(201, b'{"tracking_number": "TR1", "cost": 620, "currency": "EUR"}')
        if path == "cancellations":
            return answer(200, b'{"cancelled": true}')
        return answer(200, json.dumps({"steps": self.steps}).encode())

    def asked(self, path: str) -> list[Any]:
        found = [each for each in self.listener.asked if each.line.split()[1].startswith(f"/{path}")]
        return [json.loads(each.body) if each.body else None for each in found]

    async def run(self) -> None:
        await self.h.make_errands_due()
        await self.h.run_errands()

    async def look(self) -> None:
        """Let the half hour pass."""
        await self.h.make_timers_due()
        await self.h.fire_timers()
        await self.run()


class Desk:
    """Who books."""

    def __init__(self, h: Harness, order: Order) -> None:
        self.h, self.order = h, order

    async def prepare(self) -> str:
        self.carrier = await carrier(self.h, bookable=True)
        self.tariff = await kept(self.h, tariff(self.carrier, "T", days=2))
        self.shipment = await self.order.packed()
        return self.shipment

    async def book(self, **by: Any) -> Any:
        return await self.h.client.post(
            "/v1/bookings", json={"shipment_id": self.shipment, **(by or {"choice": "cheapest"})}
        )

    async def booked(self, partner: Carrier) -> str:
        await self.prepare()
        made = await self.book()
        assert made.status_code == 201, made.text
        await partner.run()
        return str(made.json()["id"])

    async def act(self, id: str, what: str, **body: Any) -> Any:
        return await self.h.client.post(f"/v1/bookings/{id}/{what}", json=body or None)

    async def read(self, id: str) -> dict[str, Any]:
        return dict((await self.h.client.get(f"/v1/bookings/{id}")).json())

    async def shown(self) -> dict[str, Any]:
        return dict((await self.order.read(self.shipment))["booking"])

    async def types(self) -> list[str]:
        return [each.type.rpartition(".")[2] for each in await self.h.published() if ".booking." in each.type]


def step(reference: str, state: str, at: str, **more: Any) -> dict[str, Any]:
    return {"reference": reference, "state": state, "at": f"2026-06-0{at}Z", **more}
