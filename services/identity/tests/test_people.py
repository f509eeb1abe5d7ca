"""Users, roles and tenants: made, read, changed and removed, by those who may, with an administrator always left."""

import asyncio
from typing import Any

import httpx2
import pytest

from contracts.promised import manifests
from contracts.users import RoleChanged, TenantCreated, UserUpdated
from identity import tenants
from identity.models import PLATFORM
from tailrace.core.ids import uuid7
from tailrace.core.manifest import default_roles_of, scopes_of
from tailrace_testing import Harness

from .conftest import Company


def _replaced(user: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**{name: user[name] for name in ("email", "name", "roles", "active")}, **changes}


@pytest.fixture
def admin(identity: Harness, acme: Company) -> httpx2.AsyncClient:
    return identity.client_as(tenant=acme.id)


async def _first_admin(admin: httpx2.AsyncClient) -> dict[str, Any]:
    [user] = (await admin.get("/v1/auth/users", params={"role": "admin"})).json()["items"]
    return dict(user)


async def test_a_tenant_comes_with_roles_and_an_administrator(identity: Harness, acme: Company) -> None:
    [event] = await identity.published("iam.tenant.created", tenant=acme.id)
    assert isinstance(event.event, TenantCreated)
    assert (event.event.slug, event.event.currency, event.event.industry) == ("acme", "EUR", "metalworking")
    roles = [f.event for f in await identity.published("user.role.changed", tenant=acme.id)]
    assert {r.name for r in roles if isinstance(r, RoleChanged)} == {
        *("admin", "sales", "warehouse", "accountant", "viewer", "manager", "auditor")
    }
    [created] = await identity.published("user.created", tenant=acme.id)
    assert created.event.model_dump()["roles"] == ["admin"]
    assert len(await acme.audited("user.created")) == 1


async def test_a_slug_that_is_taken_is_named_and_changes_nothing(
    identity: Harness, operator: httpx2.AsyncClient, acme: Company
) -> None:
    admin = {"email": "eve@other.example", "name": "Eve", "password": acme.password}
    body = {"slug": "acme", "name": "Other", "currency": "JPY", "admin": admin}
    refused = await operator.post("/v1/tenants", json=body)
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["field"] == "/slug"
    body["slug"] = "both-at-once"
    answers = await asyncio.gather(*(operator.post("/v1/tenants", json=body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert len((await operator.get("/v1/tenants", params={"slug": "both-at-once"})).json()["items"]) == 1
    # XXX is ISO 4217's code for "no currency": well-formed, and no money.
    wrong = await operator.post("/v1/tenants", json={**body, "currency": "XXX"})
    assert wrong.json()["errors"][0]["field"] == "/currency"


async def test_a_repeated_key_makes_one_tenant_and_gets_the_first_answer(
    operator: httpx2.AsyncClient, identity: Harness
) -> None:
    admin = {"email": "ada@twice.example", "name": "Ada", "password": "long enough"}
    body = {"slug": "twice", "name": "Twice", "currency": "EUR", "admin": admin}
    headers = {"Idempotency-Key": "the same"}
    first = await operator.post("/v1/tenants", json=body, headers=headers)
    second = await operator.post("/v1/tenants", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json() == second.json()


async def test_only_the_operator_makes_tenants_and_sees_them_all(
    identity: Harness, operator: httpx2.AsyncClient, acme: Company, globex: Company
) -> None:
    client = identity.client_as(tenant=acme.id)
    body = {"slug": "mine", "name": "Mine", "currency": "EUR", "admin": {}}
    body["admin"] = {"email": "a@mine.example", "name": "A", "password": "long enough"}
    assert (await client.post("/v1/tenants", json=body)).status_code == 403
    everybody = (await operator.get("/v1/tenants", params={"sort": "slug"})).json()["items"]
    assert [tenant["slug"] for tenant in everybody] == ["acme", "globex"]
    own = (await client.get("/v1/tenants")).json()["items"]
    assert [tenant["slug"] for tenant in own] == ["acme"]
    assert (await client.get(f"/v1/tenants/{globex.id}")).status_code == 404
    assert (await operator.get(f"/v1/tenants/{globex.id}")).json()["slug"] == "globex"
    current = await client.get("/v1/tenants/current")
    changed = await client.put(
        "/v1/tenants/current", json={"name": "Acme AG"}, headers={"If-Match": current.headers["etag"]}
    )
    assert (changed.json()["name"], changed.json()["version"]) == ("Acme AG", 2)
    assert len(await identity.published("iam.tenant.updated", tenant=acme.id)) == 1


async def test_the_operator_is_made_once_however_many_start(identity: Harness) -> None:
    settings = identity.settings.model_copy(update={"operator_password": "first password"})
    await asyncio.gather(*(tenants.ensure_operator(identity.database, settings) for _ in range(5)))
    later = settings.model_copy(update={"operator_password": "second password"})
    await tenants.ensure_operator(identity.database, later)
    assert await identity.admin.fetchval("SELECT count(*) FROM user_account WHERE tenant_id = $1", PLATFORM) == 1
    body = {"tenant": "platform", "email": "operator@platform.local", "password": "first password"}
    assert (await identity.anonymous().post("/v1/auth/login", json=body)).status_code == 200
    body["password"] = "second password"
    assert (await identity.anonymous().post("/v1/auth/login", json=body)).status_code == 401


async def test_a_user_is_created_read_listed_changed_and_deleted(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient
) -> None:
    bob = await acme.add("Bob", "sales", "viewer")
    assert (bob["email"], bob["roles"], bob["version"]) == ("bob@acme.example", ["sales", "viewer"], 1)
    path = f"/v1/auth/users/{bob['id']}"
    read = await admin.get(path)
    assert (read.json(), read.headers["etag"][:3]) == (bob, '"1-')
    listed = (await admin.get("/v1/auth/users", params={"email": "BOB@acme.example"})).json()["items"]
    assert listed == [bob]
    session = (await acme.log_in("bob@acme.example")).json()
    body = _replaced(bob, name="Robert", roles=["warehouse"])
    assert (await admin.put(path, json=body, headers={"If-Match": '"7"'})).status_code == 412
    changed = await admin.put(path, json=body, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.json()["roles"]) == ("Robert", ["warehouse"])
    assert changed.json() == (await admin.get(path)).json()
    assert changed.json()["updated_at"] > changed.json()["created_at"]
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await identity.anonymous().get("/v1/auth/me", headers=headers)).status_code == 401
    [entry] = await acme.audited("user.updated")
    assert entry["details"]["changed"] == ["name", "roles"]
    assert entry["details"]["roles"] == {"from": ["sales", "viewer"], "to": ["warehouse"]}
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.get(path)).status_code == 404
    assert (await acme.log_in("bob@acme.example")).status_code == 401
    assert (await acme.add("bob"))["id"] != bob["id"]
    events = await identity.published(tenant=acme.id)
    assert [f.type for f in events if str(f.aggregate_id) == bob["id"]] == [
        "user.created",
        "user.updated",
        "user.deleted",
    ]
    assert [f.event.model_dump()["reason"] for f in events if f.type == "user.logout"] == ["revoked"]


async def test_conflicting_and_malformed_users_are_refused_by_field(acme: Company, admin: httpx2.AsyncClient) -> None:
    await acme.add("bob")
    good = {"email": "new@acme.example", "name": "N", "password": "long enough", "roles": []}
    refusals: list[tuple[dict[str, Any], int, str]] = [
        ({"email": "BOB@acme.example"}, 409, "/email"),
        ({"email": "nowhere"}, 422, "/email"),
        ({"password": "short"}, 422, "/password"),
        ({"roles": ["viewer", "pirate"]}, 422, "/roles/1"),
        ({"tenant_id": str(uuid7())}, 422, "/tenant_id"),
    ]
    for changes, status, field in refusals:
        refused = await admin.post("/v1/auth/users", json={**good, **changes})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (status, field)
        assert "short" not in refused.text
    assert len((await admin.get("/v1/auth/users")).json()["items"]) == 2


async def test_a_password_reset_and_a_deactivation_log_the_user_out(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient
) -> None:
    bob = await acme.add("bob", "sales")
    path = f"/v1/auth/users/{bob['id']}"
    member = await acme.member("bob@acme.example")
    assert (await admin.put(path, json=_replaced(bob, password="a new password"))).status_code == 200
    assert (await member.get("/v1/auth/me")).status_code == 401
    assert (await acme.log_in("bob@acme.example", "a new password")).status_code == 200
    assert (await admin.put(path, json=_replaced(bob, active=False))).json()["active"] is False
    assert (await acme.log_in("bob@acme.example", "a new password")).status_code == 401
    assert len(await identity.published("user.logout", tenant=acme.id)) == 2


async def test_the_last_administrator_stays(identity: Harness, acme: Company, admin: httpx2.AsyncClient) -> None:
    ada = await _first_admin(admin)
    path = f"/v1/auth/users/{ada['id']}"
    for refused in (
        await admin.delete(path),
        await admin.put(path, json=_replaced(ada, roles=["viewer"])),
        await admin.put(path, json=_replaced(ada, active=False)),
    ):
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:tailrace:problem:last-admin"
    bob = await acme.add("bob", "admin")
    both = await asyncio.gather(admin.delete(path), admin.delete(f"/v1/auth/users/{bob['id']}"))
    assert sorted(answer.status_code for answer in both) == [204, 409]
    assert len((await admin.get("/v1/auth/users", params={"role": "admin"})).json()["items"]) == 1


async def test_another_tenants_users_and_roles_do_not_exist(
    identity: Harness, acme: Company, globex: Company, admin: httpx2.AsyncClient
) -> None:
    other = identity.client_as(tenant=globex.id)
    bob = await acme.add("bob", "sales")
    [role] = (await admin.get("/v1/auth/roles", params={"name": "sales"})).json()["items"]
    for path, body in (
        (f"/v1/auth/users/{bob['id']}", _replaced(bob)),
        (f"/v1/auth/roles/{role['id']}", {"name": "sales", "scopes": ["orders:read"]}),
    ):
        for method in ("GET", "PUT", "DELETE"):
            answer = await other.request(method, path, json=body if method == "PUT" else None)
            assert answer.status_code == 404, f"{method} {path}"
    assert (await admin.get(f"/v1/auth/users/{bob['id']}")).json() == bob


async def test_roles_are_made_changed_and_deleted_and_admin_is_not(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient
) -> None:
    made = await admin.post("/v1/auth/roles", json={"name": "buyer", "scopes": ["catalog:read", "orders:*"]})
    assert made.status_code == 201
    path = f"/v1/auth/roles/{made.json()['id']}"
    again = await admin.post("/v1/auth/roles", json={"name": "buyer", "scopes": ["*"]})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "/name")
    wrong = await admin.put(path, json={"name": "buyer", "scopes": ["orders"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/scopes/0")
    renamed = await admin.put(path, json={"name": "seller", "scopes": ["orders:*"]})
    assert (renamed.status_code, renamed.json()["errors"][0]["field"]) == (422, "/name")
    bob = await acme.add("bob", "buyer")
    member = await acme.member("bob@acme.example")
    assert (await member.get("/v1/auth/me")).json()["scopes"] == ["catalog:read", "orders:*"]
    assert (await admin.put(path, json={"name": "buyer", "scopes": ["orders:read"]})).status_code == 200
    assert (await member.get("/v1/auth/me")).status_code == 401, "what the token was issued for has changed"
    member = await acme.member("bob@acme.example")
    assert (await member.get("/v1/auth/me")).json()["scopes"] == ["orders:read"]
    assert (await admin.delete(path)).status_code == 409
    await admin.delete(f"/v1/auth/users/{bob['id']}")
    assert (await admin.delete(path)).status_code == 204
    last = (await identity.published(RoleChanged, tenant=acme.id))[-1]
    assert last.event == RoleChanged(role_id=made.json()["id"], name="buyer", scopes=[])
    [builtin] = (await admin.get("/v1/auth/roles", params={"name": "admin"})).json()["items"]
    at = f"/v1/auth/roles/{builtin['id']}"
    assert (await admin.put(at, json={"name": "admin", "scopes": ["orders:read"]})).status_code == 409
    assert (await admin.delete(at)).status_code == 409


async def test_a_role_holds_scopes_that_a_service_asks_for_and_no_others(
    acme: Company, admin: httpx2.AsyncClient
) -> None:
    made = await admin.post(
        "/v1/auth/roles", json={"name": "closer", "scopes": ["accounting:close", "accounting:read"]}
    )
    assert (made.status_code, made.json()["scopes"]) == (201, ["accounting:close", "accounting:read"])
    for unknown in ("orders:burn", "nowhere:read", "nowhere:*"):
        scopes = ["orders:read", unknown]
        refused = await admin.post("/v1/auth/roles", json={"name": "odd", "scopes": scopes})
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["/scopes/1"])
        path = f"/v1/auth/roles/{made.json()['id']}"
        refused = await admin.put(path, json={"name": "closer", "scopes": scopes})
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["/scopes/1"])


async def test_every_scope_of_every_manifest_can_be_granted(admin: httpx2.AsyncClient) -> None:
    scopes = sorted(scopes_of(manifests()))
    assert len(scopes) > 10
    made = await admin.post("/v1/auth/roles", json={"name": "all-by-name", "scopes": scopes})
    assert (made.status_code, made.json()["scopes"]) == (201, scopes)


async def test_a_new_tenant_has_the_roles_that_the_manifests_speak_of(admin: httpx2.AsyncClient) -> None:
    roles = {each["name"]: each["scopes"] for each in (await admin.get("/v1/auth/roles")).json()["items"]}
    assert roles == {**default_roles_of(manifests()), "admin": ["*"]}
    assert {"accounting:close", "catalog:read", "customers:credit"} <= set(roles["accountant"])
    assert "accounting:control" not in roles["accountant"]


async def test_nobody_grants_or_takes_what_he_has_not(
    identity: Harness, acme: Company, admin: httpx2.AsyncClient
) -> None:
    clerk = identity.client_as("users:* catalog:read", tenant=acme.id)
    ada = await _first_admin(admin)
    body = {"email": "x@acme.example", "name": "X", "password": "long enough", "roles": ["admin"]}
    bob = await acme.add("bob")
    path = f"/v1/auth/users/{bob['id']}"
    for refused in (
        await clerk.post("/v1/auth/users", json=body),
        await clerk.put(path, json=_replaced(bob, roles=["sales"])),
        await clerk.put(f"/v1/auth/users/{ada['id']}", json=_replaced(ada, password="mine now, ha")),
        await clerk.delete(f"/v1/auth/users/{ada['id']}"),
        await clerk.post("/v1/auth/roles", json={"name": "all", "scopes": ["*"]}),
        await clerk.post("/v1/auth/roles", json={"name": "all", "scopes": ["catalog:*"]}),
        await clerk.get("/v1/auth/audit-logs"),
    ):
        assert refused.status_code == 403, refused.text
    assert (await clerk.put(path, json=_replaced(bob, name="Robert"))).status_code == 200
    [event] = await identity.published("user.updated", tenant=acme.id)
    assert isinstance(event.event, UserUpdated)
    reader = identity.client_as("users:read", tenant=acme.id)
    assert (await reader.get(path)).status_code == 200
    assert (await reader.delete(path)).status_code == 403
