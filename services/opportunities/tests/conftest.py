"""A sales team: two people who sell, a customer, the standard pipeline, and a way to say what a lead or an opportunity is."""

import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import pytest

from contracts import customers, users
from opportunities.service import service
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness

AT, LEADS = "/v1/opportunities", "/v1/leads"


@dataclass
class Desk:
    """The harness, and what is known of others."""

    h: Harness
    bo: UUID = field(default_factory=uuid7)
    cy: UUID = field(default_factory=uuid7)
    team: UUID = field(default_factory=uuid7)
    ada: UUID = field(default_factory=uuid7)
    pipeline: str = ""
    reasons: dict[str, str] = field(default_factory=dict)

    async def open(self) -> None:
        joined = users.TenantCreated(tenant_id=self.h.tenant, slug="acme", name="Acme Ltd", currency="EUR")
        async with self.h.together():
            await self.h.deliver(joined, aggregate_id=self.h.tenant)
            for id, name in ((self.h.user, "Me"), (self.bo, "Bo"), (self.cy, "Cy")):
                await self.hire(id, name)
            await self.form_team(self.bo, self.cy)
            await self.customer(self.ada, "C-1")
        (found,) = (await self.h.client.get("/v1/pipelines")).json()["items"]
        self.pipeline = found["id"]
        listed = (await self.h.client.get("/v1/opportunity-reasons")).json()["items"]
        self.reasons = {each["code"]: each["id"] for each in listed}

    async def hire(self, id: UUID, name: str) -> None:
        user = users.UserCreated(user_id=id, email=f"{name}@acme.example".lower(), name=name, roles=["sales"])
        await self.h.deliver(user, aggregate_id=id)

    async def form_team(self, *people: UUID, lead: UUID | None = None) -> None:
        told = users.TeamUpdated(team_id=self.team, name="Sales", lead_id=lead, member_ids=list(people))
        await self.h.deliver(told, aggregate_id=self.team)

    async def customer(self, id: UUID, number: str, name: str = "Ada Works", **given: Any) -> None:
        said = {"kind": "company", "status": "active", "currency": "EUR", "payment_terms_days": 30, **given}
        told = customers.CustomerUpdated(customer_id=id, number=number, name=name, **said)
        await self.h.deliver(told, aggregate_id=id)

    async def ask(self, method: str, path: str, status: int = 200, body: Any = None, **query: Any) -> Any:
        answer = await self.h.client.request(method, path, json=body, params=query)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def lead(self, name: str = "Grace Hopper", status: int = 201, **given: Any) -> Any:
        return await self.ask("POST", LEADS, status, {"name": name, **given})

    async def create(self, status: int = 201, **given: Any) -> Any:
        body = {"name": "A bridge", "customer_id": str(self.ada), "amount": 10_000, "expected_close_on": "2026-12-15"}
        return await self.ask("POST", AT, status, {**body, **given})

    async def act(self, one: Any, action: str, status: int = 200, **body: Any) -> Any:
        return await self.ask("POST", f"{AT}/{one['id']}/{action}", status, body or None)

    async def read(self, one: Any) -> Any:
        return await self.ask("GET", f"{AT}/{one['id']}")

    async def read_lead(self, one: Any) -> Any:
        return await self.ask("GET", f"{LEADS}/{one['id']}")

    async def told(self, type: str) -> list[Any]:
        return [one.event for one in await self.h.published(type)]

    async def fire(self) -> None:
        """Let everything come that is due, and what that makes due."""
        while await self.h.fire_timers():
            pass

    # The public form.

    async def form(self, **given: Any) -> str:
        """The path of a new form."""
        body = {
            "code": f"F-{uuid7().hex[-6:]}",
            "name": "Contact",
            "fields": [
                {"key": "name", "label": "Name"},
                {"key": "email", "label": "E-mail", "required": True},
                {"key": "note", "label": "What for", "max_length": 500},
                {"key": "budget", "label": "Budget", "max_length": 20},
            ],
            "min_seconds": 0,
            "work": 200,
            **given,
        }
        made = await self.ask("POST", "/v1/lead-forms", 201, body)
        return str((await self.ask("GET", f"/v1/lead-forms/{made['id']}/address"))["path"])

    async def challenge(self, path: str) -> dict[str, Any]:
        answer = await self.h.anonymous().get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["challenge"])

    async def send(
        self, path: str, challenge: dict[str, Any] | None = None, headers: dict[str, str] | None = None, **given: Any
    ) -> httpx2.Response:
        challenge = challenge or await self.challenge(path)
        answers = given.pop("answers", {"name": "Grace Hopper", "email": "grace@navy.example"})
        body = {
            "challenge": challenge["token"],
            "solution": solved(challenge),
            "answers": [{"key": key, "value": value} for key, value in answers.items()],
            **given,
        }
        return await self.h.anonymous().post(path, json=body, headers=headers or {})


def solved(challenge: dict[str, Any]) -> int | None:
    """The number that the challenge asks for, as a browser finds it."""
    if challenge["target"] is None:
        return None
    for number in range(challenge["largest"]):
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["target"]:
            return number
    raise AssertionError("no number solves it")


@pytest.fixture
async def desk(make_harness: MakeHarness) -> Desk:
    desk = Desk(await make_harness(service))
    await desk.open()
    return desk
