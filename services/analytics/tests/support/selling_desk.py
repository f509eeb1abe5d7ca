"""A company in Tokyo: three people who sell, in two teams, and what they are told of."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2

from contracts import orders, users
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

ZONE = "Asia/Tokyo"
LONG_AGO = datetime(2026, 9, 1, tzinfo=UTC)
NOON = datetime(2026, 10, 10, 3, tzinfo=UTC)


@dataclass
class Desk:
    """The harness, and who is there: Bo and Cy in the north, Di in the south."""

    h: Harness
    bo: UUID = field(default_factory=uuid7)
    cy: UUID = field(default_factory=uuid7)
    di: UUID = field(default_factory=uuid7)
    north: UUID = field(default_factory=uuid7)
    south: UUID = field(default_factory=uuid7)

    async def open(self) -> None:
        await self.h.count_days_in(ZONE)
        for id, name in ((self.bo, "Bo"), (self.cy, "Cy"), (self.di, "Di")):
            hired = users.UserCreated(user_id=id, email=f"{name}@acme.example".lower(), name=name, roles=["sales"])
            await self.h.deliver(hired, aggregate_id=id)
        await self.form(self.north, self.bo, self.cy, at=LONG_AGO)
        await self.form(self.south, self.di, at=LONG_AGO)

    async def form(self, team: UUID, *people: UUID, at: datetime) -> None:
        told = users.TeamUpdated(team_id=team, name="Sales", member_ids=list(people))
        await self.h.deliver(told, aggregate_id=team, time=at)

    async def ask(self, path: str, status: int = 200, client: httpx2.AsyncClient | None = None, **query: Any) -> Any:
        query = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        answer = await (client or self.h.client).get(path, params=query or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def every(self, path: str) -> list[Any]:
        """All pages behind a link, two rows a page."""
        items: list[Any] = []
        cursor = ""
        while True:
            page = await self.ask(path + ("&" if "?" in path else "?") + "limit=2" + cursor)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"


def order_said(number: int, net: int, owner: UUID | None, currency: str = "EUR") -> dict[str, Any]:
    return {
        "order_id": uuid7(),
        "number": f"SO-{number}",
        "customer_reference": "R",
        "customer_name": "Ada Works",
        "currency": currency,
        "net": net,
        "tax": 0,
        "lines": [],
        "ordered_at": NOON,
        "owner_id": owner,
    }


async def sell(desk: Desk, number: int, net: int, owner: UUID | None, currency: str = "EUR") -> dict[str, Any]:
    """An order that is placed and confirmed at noon of the tenth."""
    said = order_said(number, net, owner, currency)
    id = said["order_id"]
    await desk.h.deliver(orders.OrderCreated(**said), aggregate_id=id, time=NOON)
    await desk.h.deliver(orders.OrderConfirmed(**said), aggregate_id=id, time=NOON + timedelta(hours=1))
    return said
