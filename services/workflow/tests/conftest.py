"""An office: people with roles, a team with its lead, and documents that are submitted."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from contracts.approvals import ApprovalSubject
from contracts.quotes import QuoteCancelled, QuoteRecalled, QuoteSubmitted
from contracts.users import TeamCreated, TenantCreated, UserCreated, UserDeleted, UserUpdated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from workflow.service import service

AT = "/v1/approvals"
PROCESSES = "/v1/processes"


@dataclass
class Person:
    """Somebody who can call."""

    id: UUID
    roles: list[str]
    client: httpx2.AsyncClient


@dataclass
class Office:
    """The harness, and what is told and asked in most tests."""

    h: Harness
    people: dict[str, Person] = field(default_factory=dict)

    async def open(self) -> None:
        joined = TenantCreated(tenant_id=self.h.tenant, slug="acme", name="Acme Ltd", currency="EUR")
        await self.h.deliver(joined, aggregate_id=self.h.tenant)
        await self.hire("sue", "sales")
        await self.hire("max", "manager")
        await self.hire("mia", "manager")
        await self.hire("ada", "admin")

    async def hire(self, name: str, *roles: str) -> Person:
        id = uuid7()
        told = UserCreated(user_id=id, email=f"{name}@acme.example", name=name.title(), roles=list(roles))
        await self.h.deliver(told, aggregate_id=id)
        self.people[name] = Person(id, list(roles), self.client(id, *roles))
        return self.people[name]

    def client(self, id: UUID, *roles: str) -> httpx2.AsyncClient:
        client = self.h.client_as(user=id)
        client.headers["Authorization"] = f"Bearer {self.h.token(user=id, roles=list(roles))}"
        return client

    async def fire(self, name: str, successor: str | None = None) -> None:
        """Somebody is deleted."""
        id = self.people[name].id
        told = UserDeleted(user_id=id, successor_id=None if successor is None else self.people[successor].id)
        await self.h.deliver(told, aggregate_id=id)
        await self.h.fire_timers()

    async def promote(self, name: str, *roles: str) -> None:
        person = self.people[name]
        told = UserUpdated(user_id=person.id, email=f"{name}@acme.example", name=name, roles=list(roles), active=True)
        await self.h.deliver(told, aggregate_id=person.id)

    async def team(self, lead: str, *members: str) -> None:
        id = uuid7()
        told = TeamCreated(
            team_id=id,
            name="Team",
            lead_id=self.people[lead].id,
            member_ids=[self.people[one].id for one in members],
        )
        await self.h.deliver(told, aggregate_id=id)

    def id(self, name: str) -> str:
        return str(self.people[name].id)

    async def submit(self, by: str = "sue", quote: UUID | None = None, sha: str = "a" * 64, **given: Any) -> UUID:
        """A quote is submitted; its id."""
        quote = quote or uuid7()
        said = {"kind": "quote", "number": "Q-1/1", "amount": 50_000, "currency": "EUR", **given}
        subject = ApprovalSubject(id=quote, sha256=sha, requester_id=self.people[by].id, **said)
        told = QuoteSubmitted(quote_id=quote, number="Q-1", revision=1, subject=subject)
        await self.h.deliver(told, aggregate_id=quote)
        return quote

    async def take_back(self, quote: UUID, kind: type[QuoteRecalled] | type[QuoteCancelled] = QuoteRecalled) -> None:
        more = {"reason": "sold out"} if kind is QuoteCancelled else {}
        await self.h.deliver(kind(quote_id=quote, number="Q-1", revision=1, **more), aggregate_id=quote)

    async def approval(self, document: UUID | str) -> dict[str, Any]:
        """The newest approval of a document, with its steps."""
        found = await self.h.client.get(AT, params={"document_id": str(document), "sort": "-id"})
        assert found.json()["items"], found.text
        return await self.read(found.json()["items"][0]["id"])

    async def read(self, id: str) -> dict[str, Any]:
        return dict((await self.h.client.get(f"{AT}/{id}")).json())

    async def ask(self, by: str = "sue", status: int = 201, **given: Any) -> dict[str, Any]:
        """A free approval."""
        made = await self.people[by].client.post(AT, json={"title": "A new forklift", **given})
        assert made.status_code == status, made.text
        return dict(made.json())

    async def approve(self, who: str, approval: dict[str, Any], status: int = 200, **said: Any) -> dict[str, Any]:
        answer = await self.people[who].client.patch(f"{AT}/{approval['id']}/approve", json=said or None)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def reject(self, who: str, approval: dict[str, Any], status: int = 200, **said: Any) -> dict[str, Any]:
        body = {"reason": "too dear", **said}
        answer = await self.people[who].client.patch(f"{AT}/{approval['id']}/reject", json=body)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def act(self, who: str, approval: dict[str, Any], action: str, status: int = 200, **said: Any) -> Any:
        answer = await self.people[who].client.post(f"{AT}/{approval['id']}/{action}", json=said or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def delegate(self, who: str, to: str, status: int = 201, *, begins: int = -1, days: int = 7) -> Any:
        begin = datetime.now(UTC) + timedelta(days=begins)
        body = {
            "to_user_id": self.id(to),
            "begins_at": begin.isoformat(),
            "ends_at": (begin + timedelta(days=days)).isoformat(),
        }
        answer = await self.people[who].client.post(f"{AT}/delegations", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def act_on(self, delegation: dict[str, Any], who: str, status: int = 200) -> Any:
        """End a delegation."""
        answer = await self.people[who].client.post(f"{AT}/delegations/{delegation['id']}/end")
        assert answer.status_code == status, answer.text
        return answer.json()

    async def inbox(self, who: str) -> list[str]:
        """The ids of what waits for somebody."""
        answer = await self.people[who].client.get(f"{AT}/pending")
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    async def process(self, key: str = "approval") -> dict[str, Any]:
        (found,) = (await self.h.client.get(PROCESSES, params={"key": key})).json()["items"]
        return dict(found)

    async def rule(self, *rules: dict[str, Any], inputs: list[str] | None = None, status: int = 200) -> Any:
        """Put a matrix in place."""
        process = await self.process()
        body = {"rules": list(rules), **({} if inputs is None else {"inputs": inputs})}
        answer = await self.h.client.put(f"{PROCESSES}/{process['id']}/matrix", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def told(self) -> list[str]:
        """The types of what was published of approvals, without the noise of processes."""
        return [one.type for one in await self.h.published() if ".process." not in one.type]


@pytest.fixture
async def office(make_harness: MakeHarness) -> Office:
    office = Office(await make_harness(service))
    async with office.h.together():
        await office.open()
    return office


def row(approvers: str, step: int = 1, when: dict[str, str] | None = None, **then: Any) -> dict[str, Any]:
    """A rule of a matrix."""
    return {"when": when or {}, "step": step, "then": {"approvers": approvers, **then}}
