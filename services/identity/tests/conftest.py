"""Identity, and companies that people log in to."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest

from identity.models import PLATFORM
from identity.service import service
from tailrace_testing import Harness, MakeHarness

PASSWORD = "correct horse battery staple"


@dataclass
class Company:
    """A tenant and its first administrator; requests go through identity's own log-in."""

    identity: Harness
    id: UUID
    slug: str
    admin_email: str
    password: str = PASSWORD

    async def log_in(self, email: str | None = None, password: str = PASSWORD) -> httpx2.Response:
        body = {"tenant": self.slug, "email": email or self.admin_email, "password": password}
        return await self.identity.anonymous().post("/v1/auth/login", json=body)

    async def member(self, email: str | None = None) -> httpx2.AsyncClient:
        """A client with the access token of a fresh log-in."""
        answer = await self.log_in(email)
        assert answer.status_code == 200, answer.text
        client = self.identity.anonymous()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    async def add(self, name: str, *roles: str) -> dict[str, Any]:
        """A user of these roles, whose address is <name>@<slug>.example."""
        body = {"email": f"{name}@{self.slug}.example", "name": name, "password": PASSWORD, "roles": list(roles)}
        answer = await self.identity.client_as(tenant=self.id).post("/v1/auth/users", json=body)
        assert answer.status_code == 201, answer.text
        user: dict[str, Any] = answer.json()
        return user

    async def audited(self, action: str) -> list[dict[str, Any]]:
        answer = await self.identity.client_as(tenant=self.id).get("/v1/auth/audit-logs", params={"action": action})
        assert answer.status_code == 200, answer.text
        entries: list[dict[str, Any]] = answer.json()["items"]
        return entries


@pytest.fixture
async def identity(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


@pytest.fixture
def operator(identity: Harness) -> httpx2.AsyncClient:
    """Somebody of the platform's own tenant."""
    return identity.client_as(tenant=PLATFORM)


def new_tenant(slug: str) -> dict[str, Any]:
    admin = {"email": f"Admin@{slug}.example", "name": "Ada", "password": PASSWORD}
    return {"slug": slug, "name": f"{slug} Ltd", "currency": "EUR", "industry": "metalworking", "admin": admin}


async def found(identity: Harness, operator: httpx2.AsyncClient, slug: str) -> Company:
    answer = await operator.post("/v1/tenants", json=new_tenant(slug))
    assert answer.status_code == 201, answer.text
    return Company(identity, UUID(answer.json()["id"]), slug, f"admin@{slug}.example")


@pytest.fixture
async def acme(identity: Harness, operator: httpx2.AsyncClient) -> Company:
    return await found(identity, operator, "acme")


@pytest.fixture
async def globex(identity: Harness, operator: httpx2.AsyncClient) -> Company:
    return await found(identity, operator, "globex")
