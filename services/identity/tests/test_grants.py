"""Whatever scope a service asks for, a role can grant, and a user who has the role gets it in a token."""

import base64
import json
from typing import Any

import pytest

from contracts.promised import manifests
from tailrace.core.manifest import scopes_of
from tailrace_testing import Harness

from .conftest import Company

SCOPES = sorted(scopes_of(manifests()))


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def test_there_are_scopes_of_every_service() -> None:
    asked = {scope.partition(":")[0] for scope in SCOPES}
    assert {"accounting", "catalog", "customers", "inventory", "orders", "shipping", "users", "tenants"} <= asked
    assert "accounting:control" in SCOPES


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_scope_can_be_granted(identity: Harness, acme: Company, scope: str) -> None:
    admin = await acme.member()
    made = await admin.post("/v1/auth/roles", json={"name": "holder", "scopes": [scope]})
    assert (made.status_code, made.json().get("scopes")) == (201, [scope]), made.text
    await acme.add("bo", "holder")
    answer = await acme.log_in("bo@acme.example")
    assert answer.status_code == 200, answer.text
    assert claims(answer.json()["access_token"])["scope"].split() == [scope]
    me = await (await acme.member("bo@acme.example")).get("/v1/auth/me")
    assert me.json()["scopes"] == [scope]
