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


def reach_of(scope: str) -> str:
    return scope.partition(":")[2].partition(":")[2]


@pytest.mark.parametrize("reach", sorted({reach_of(scope) for scope in SCOPES}))
async def test_each_scope_can_be_granted(identity: Harness, acme: Company, reach: str) -> None:
    """Those of one reach together, so that none stands for another."""
    scopes = [scope for scope in SCOPES if reach_of(scope) == reach]
    admin = await acme.member()
    for scope in scopes:
        made = await admin.post("/v1/auth/roles", json={"name": f"of-{scope.replace(':', '-')}", "scopes": [scope]})
        assert (made.status_code, made.json().get("scopes")) == (201, [scope]), made.text
    made = await admin.post("/v1/auth/roles", json={"name": "holder", "scopes": scopes})
    assert made.status_code == 201, made.text
    await acme.add("bo", "holder")
    answer = await acme.log_in("bo@acme.example")
    assert answer.status_code == 200, answer.text
    assert sorted(claims(answer.json()["access_token"])["scope"].split()) == scopes
    me = await (await acme.member("bo@acme.example")).get("/v1/auth/me")
    assert sorted(me.json()["scopes"]) == scopes
