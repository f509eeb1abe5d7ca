"""A company with two people who sell, and a way to say what a customer is."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from contracts.users import UserCreated, UserDeleted
from customers.service import service
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness

AT = "/v1/customers"


@dataclass
class Sales:
    """The harness, and who may look after customers."""

    h: Harness
    bo: UUID = field(default_factory=uuid7)
    cy: UUID = field(default_factory=uuid7)

    async def hire(self) -> None:
        for id, name in ((self.bo, "Bo"), (self.cy, "Cy")):
            user = UserCreated(user_id=id, email=f"{name}@acme.example".lower(), name=name, roles=["sales"])
            await self.h.deliver(user, aggregate_id=id)

    async def leaves(self, id: UUID) -> None:
        await self.h.deliver(UserDeleted(user_id=id), aggregate_id=id)

    async def create(self, name: str = "Ada Works", **given: Any) -> dict[str, Any]:
        answer = await self.h.client.post(AT, json={"name": name, "currency": "EUR", **given})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def read(self, customer: dict[str, Any]) -> dict[str, Any]:
        return dict((await self.h.client.get(f"{AT}/{customer['id']}")).json())

    async def act(self, customer: dict[str, Any], action: str, expected: int = 200, **body: Any) -> dict[str, Any]:
        answer = await self.h.client.post(f"{AT}/{customer['id']}/{action}", json=body)
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def put(self, customer: dict[str, Any], what: str, expected: int = 200, /, **body: Any) -> dict[str, Any]:
        answer = await self.h.client.put(f"{AT}/{customer['id']}{what}", json=body)
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def assigned(self, customer: dict[str, Any], to: UUID | None, status: int = 200) -> dict[str, Any]:
        return await self.act(customer, "assign", status, sales_rep_id=None if to is None else str(to))

    async def found(self, q: str, **narrowed: Any) -> list[str]:
        """The names that a search shows, in its order."""
        answer = await self.h.client.get(f"{AT}/search", params={"q": q, **narrowed})
        assert answer.status_code == 200, answer.text
        return [item["name"] for item in answer.json()["items"]]


@pytest.fixture
async def sales(make_harness: MakeHarness) -> Sales:
    sales = Sales(await make_harness(service))
    async with sales.h.together():
        await sales.hire()
    return sales
