"""A sales team: the caller, Bo and Cy, and two customers, Ada Works with Grace who speaks for it, and Ada Group."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from activities.service import service
from contracts import customers as sales
from contracts.users import UserCreated, UserDeleted
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness

TASKS, MEETINGS, FEEDS = "/v1/tasks", "/v1/meetings", "/v1/calendar-feeds"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Desk:
    """The harness, and who is there."""

    h: Harness
    bo: UUID = field(default_factory=uuid7)
    cy: UUID = field(default_factory=uuid7)
    ada: UUID = field(default_factory=uuid7)
    group: UUID = field(default_factory=uuid7)
    grace: UUID = field(default_factory=uuid7)

    async def open(self) -> None:
        for id, name in ((self.h.user, "Al"), (self.bo, "Bo"), (self.cy, "Cy")):
            await self.hire(id, name)
        await self.customer(self.ada, "C-1", "Ada Works")
        await self.customer(self.group, "C-2", "Ada Group")

    async def hire(self, id: UUID, name: str) -> None:
        user = UserCreated(user_id=id, email=f"{name}@acme.example".lower(), name=name, roles=["sales"])
        await self.h.deliver(user, aggregate_id=id)

    async def leaves(self, id: UUID, to: UUID | None = None) -> None:
        await self.h.deliver(UserDeleted(user_id=id, successor_id=to), aggregate_id=id)
        await self.fire()

    async def customer(self, id: UUID, number: str, name: str, kind: Any = sales.CustomerCreated, **given: Any) -> None:
        said = {"number": number, "name": name, "kind": "company", "status": "active", "currency": "EUR"}
        person = sales.Person(person_id=self.grace, name="Grace")
        told = kind(customer_id=id, payment_terms_days=30, people=[person], **{**said, **given})
        await self.h.deliver(told, aggregate_id=id)

    async def merge(self, id: UUID, into: UUID) -> None:
        await self.h.deliver(sales.CustomerMerged(customer_id=id, into_customer_id=into, reason="one"), aggregate_id=id)
        await self.fire()

    async def unmerge(self, id: UUID, frm: UUID) -> None:
        undone = sales.CustomerUnmerged(customer_id=id, from_customer_id=frm, reason="two")
        await self.h.deliver(undone, aggregate_id=id)
        await self.fire()

    async def delete_customer(self, id: UUID) -> None:
        await self.h.deliver(sales.CustomerDeleted(customer_id=id, number="C-1"), aggregate_id=id)
        await self.fire()

    async def fire(self) -> None:
        while await self.h.fire_timers():
            pass

    async def task(self, title: str = "Call back", expected: int = 201, /, **given: Any) -> dict[str, Any]:
        answer = await self.h.client.post(TASKS, json={"title": title, **given})
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def meeting(self, title: str = "Visit", expected: int = 201, /, **given: Any) -> dict[str, Any]:
        begin = now() + timedelta(days=2)
        said = {
            "customer_id": str(self.ada),
            "starts_at": begin.isoformat(),
            "ends_at": (begin + timedelta(hours=1)).isoformat(),
        }
        answer = await self.h.client.post(MEETINGS, json={"title": title, **said, **given})
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def status(self, row: dict[str, Any], at: str, expected: int = 200, **said: Any) -> dict[str, Any]:
        answer = await self.h.client.patch(f"{at}/{row['id']}/status", json=said)
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def read(self, row: dict[str, Any], at: str, expected: int = 200) -> dict[str, Any]:
        answer = await self.h.client.get(f"{at}/{row['id']}")
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def restore(self, row: dict[str, Any], at: str, expected: int = 200) -> dict[str, Any]:
        answer = await self.h.client.post(f"{at}/{row['id']}/restore")
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def titles(self, path: str, **query: Any) -> list[str]:
        answer = await self.h.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return [each["title"] for each in answer.json()["items"]]

    async def told(self, type: str) -> list[Any]:
        return [each.event for each in await self.h.published(type)]


@pytest.fixture
async def desk(make_harness: MakeHarness) -> Desk:
    desk = Desk(await make_harness(service))
    async with desk.h.together():
        await desk.open()
    return desk
