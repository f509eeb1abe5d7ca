"""A company in Japan: the caller is Ann of sales, Bo is a manager and Cy of the warehouse; mail and chat are stand-ins on real ports."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import pytest
from partner import PartnerListener, answer

from contracts.approvals import ApprovalAssigned, ApprovalSubject
from contracts.customers import CustomerCreated
from contracts.users import RoleChanged, TenantCreated, UserCreated
from notifications.service import service
from stubs.books import Books
from stubs.faults import Fault, Faults
from stubs.log import Entry
from stubs.smtp import Sink
from tailrace.core.ids import uuid7
from tailrace.settings import PartnerAddress
from tailrace_testing import Harness, MakeHarness

NEWS, SUBSCRIPTIONS, CHANNELS = "/v1/notifications", "/v1/subscriptions", "/v1/notification-channels"
OWN = "notifications:read notifications:write"


@dataclass
class Office:
    """The harness, who is there, and the mail server."""

    h: Harness
    bo: UUID = field(default_factory=uuid7)
    cy: UUID = field(default_factory=uuid7)
    ada: UUID = field(default_factory=uuid7)
    books: Books = field(default_factory=Books)
    faults: Faults = field(default_factory=Faults)
    log: deque[Entry] = field(default_factory=deque)

    async def open(self) -> None:
        founded = TenantCreated(
            tenant_id=self.h.tenant, slug="acme", name="Acme", currency="JPY", time_zone="Asia/Tokyo", country="JP"
        )
        await self.h.deliver(founded, aggregate_id=self.h.tenant)
        for name, scopes in (
            ("sales", ["quotes:read:own"]),
            ("manager", ["quotes:read", "orders:release"]),
            ("admin", ["*"]),
        ):
            role = RoleChanged(role_id=uuid7(), name=name, scopes=scopes)
            await self.h.deliver(role, aggregate_id=role.role_id)
        for id, name, role_name in (
            (self.h.user, "ann", "sales"),
            (self.bo, "bo", "manager"),
            (self.cy, "cy", "warehouse"),
        ):
            user = UserCreated(user_id=id, email=f"{name}@acme.example", name=name.title(), roles=[role_name])
            await self.h.deliver(user, aggregate_id=id)
        customer = CustomerCreated(
            customer_id=self.ada,
            number="C-1",
            name="Ada Works",
            kind="company",
            status="active",
            currency="JPY",
            payment_terms_days=30,
        )
        await self.h.deliver(customer, aggregate_id=self.ada)
        self.server = await asyncio.start_server(Sink(self.books, self.faults, self.log).serve, "127.0.0.1", 0)
        at = f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        self.h.settings.partners = {"smtp": PartnerAddress(url=f"smtp://{at}", sender="no-reply@acme.example")}
        self.h.settings.errands_allow = [at]

    def as_(self, user: UUID, scopes: str = OWN) -> httpx2.AsyncClient:
        return self.h.client_as(scopes, user=user)

    def asked(
        self, *, users: tuple[UUID, ...] = (), roles: tuple[str, ...] = (), number: str = "Q-1"
    ) -> ApprovalAssigned:
        """Ann asks for an approval."""
        subject = ApprovalSubject(
            kind="quote",
            id=uuid7(),
            number=number,
            sha256="0" * 64,
            amount=1,
            currency="JPY",
            requester_id=self.h.user,
            attributes={"customer_id": str(self.ada)},
        )
        return ApprovalAssigned(
            approval_id=uuid7(),
            subject=subject,
            task_id=uuid7(),
            step="manager",
            user_ids=list(users),
            roles=list(roles),
        )

    async def asks(self, *users: UUID, number: str = "Q-1", **told: Any) -> ApprovalAssigned:
        event = self.asked(users=users, number=number)
        await self.h.deliver(event, aggregate_id=event.approval_id, **told)
        return event

    async def feed(self, user: UUID, **query: Any) -> list[dict[str, Any]]:
        """The titles, kinds and such of somebody's feed, oldest first."""
        page = await self.as_(user).get(NEWS, params={"sort": "id", **query})
        assert page.status_code == 200, page.text
        return list(page.json()["items"])

    async def prefer(self, user: UUID, **said: Any) -> None:
        put = await self.as_(user).put(f"{NEWS}/preferences", json=said)
        assert put.status_code == 200, put.text

    @property
    def mail(self) -> list[dict[str, Any]]:
        """What the mail server took."""
        return list(self.books.kept["smtp"].values())

    def fails(self, *faults: Fault) -> None:
        self.faults.switch(list(faults))

    async def deliveries(self) -> list[tuple[str, str, str | None]]:
        rows = await self.h.admin.fetch("SELECT way, status, failure FROM delivery ORDER BY id")
        return [tuple(row) for row in rows]


@pytest.fixture
async def office(make_harness: MakeHarness) -> AsyncIterator[Office]:
    office = Office(await make_harness(service))
    await office.open()
    yield office
    office.server.close()


@pytest.fixture
async def hook(office: Office) -> AsyncIterator[PartnerListener]:
    """A chat program's webhook."""
    async with PartnerListener([answer(body=b"ok", kind="text/plain")]) as hook:
        office.h.settings.errands_allow = [*office.h.settings.errands_allow, hook.target]
        yield hook
