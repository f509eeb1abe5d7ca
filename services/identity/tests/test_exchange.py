"""A token for one service: never for more, never for longer, and only as long as the session that it comes from."""

import time
from typing import Any

import httpx2
import pytest

from identity.service import service
from tailrace.http.auth import Verifier, principal_of, role_versions
from tailrace_testing import Harness, MakeHarness

from .conftest import Company

_URN = "urn:ietf:params:oauth"


@pytest.fixture
async def identity(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


async def _exchange(identity: Harness, token: str, **changes: str | None) -> httpx2.Response:
    form = {
        "grant_type": f"{_URN}:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": f"{_URN}:token-type:access_token",
        "audience": "orders",
        **changes,
    }
    data = {name: value for name, value in form.items() if value is not None}
    return await identity.anonymous().post("/v1/auth/token", data=data)


async def _claims(identity: Harness, token: str, audience: str) -> dict[str, Any]:
    return await Verifier(identity.app.state.issuer.keys, issuer="tailrace", audiences={audience}).claims(token)


async def test_a_token_for_one_service_is_the_same_persons_and_short(identity: Harness, acme: Company) -> None:
    token = (await acme.log_in()).json()["access_token"]
    answer = await _exchange(identity, token, scope="orders:read catalog:read")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body = answer.json()
    assert (body["token_type"], body["issued_token_type"]) == ("Bearer", f"{_URN}:token-type:access_token")
    assert (body["expires_in"], body["scope"]) == (300, "orders:read catalog:read")
    old = await _claims(identity, token, "tailrace")
    new = await _claims(identity, body["access_token"], "orders")
    assert principal_of(new).scopes == {"orders:read", "catalog:read"}
    for name in ("sub", "tenant", "sid", "iss", "roles"):
        assert new[name] == old[name]
    assert role_versions(new) == role_versions(old) != {}
    assert new["jti"] != old["jti"]
    assert new["exp"] - new["iat"] == 300
    [entry] = await acme.audited("token.exchanged")
    assert (entry["details"]["audience"], entry["actor_id"]) == ("orders", old["sub"])


async def test_it_ends_no_later_than_the_token_that_it_comes_from(identity: Harness, acme: Company) -> None:
    issuer = identity.app.state.issuer
    old = await _claims(identity, (await acme.log_in()).json()["access_token"], "tailrace")
    soon = int(time.time()) + 60
    answer = await _exchange(identity, await issuer.keys.sign({**old, "exp": soon}))
    assert 0 < answer.json()["expires_in"] <= 60
    assert (await _claims(identity, answer.json()["access_token"], "orders"))["exp"] == soon


async def test_it_never_widens(identity: Harness, acme: Company) -> None:
    await acme.add("bob", "viewer")
    token = (await acme.log_in("bob@acme.example")).json()["access_token"]
    for wider in ("orders:write", "orders:*", "*", "orders:read orders:write"):
        refused = await _exchange(identity, token, scope=wider)
        assert refused.status_code == 403, wider
    assert (await _exchange(identity, token)).json()["scope"].split() == (await _claims(identity, token, "tailrace"))[
        "scope"
    ].split()
    narrow = (await _exchange(identity, token, scope="orders:read")).json()["access_token"]
    for audience in ("accounting", "orders", "tailrace"):
        assert (await _exchange(identity, narrow, audience=audience)).status_code in {401, 422}
    for_identity = (await _exchange(identity, token, audience="identity")).json()["access_token"]
    again = await _exchange(identity, for_identity)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "/subject_token")
    me = await identity.anonymous().get("/v1/auth/me", headers={"Authorization": f"Bearer {for_identity}"})
    assert me.status_code == 200
    elsewhere = await identity.anonymous().get("/v1/auth/me", headers={"Authorization": f"Bearer {narrow}"})
    assert elsewhere.status_code == 401


async def test_it_needs_an_open_session_and_roles_that_stand(identity: Harness, acme: Company) -> None:
    admin = identity.client_as(tenant=acme.id)
    session = (await acme.log_in()).json()
    await identity.anonymous().post("/v1/auth/logout", json={"refresh_token": session["refresh_token"]})
    assert (await _exchange(identity, session["access_token"])).status_code == 401
    await acme.add("bob", "sales")
    session = (await acme.log_in("bob@acme.example")).json()
    assert (await _exchange(identity, session["access_token"])).status_code == 200
    [role] = (await admin.get("/v1/auth/roles", params={"name": "sales"})).json()["items"]
    changed = await admin.put(f"/v1/auth/roles/{role['id']}", json={"name": "sales", "scopes": ["orders:read"]})
    assert changed.status_code == 200
    assert (await _exchange(identity, session["access_token"])).status_code == 401
    fresh = await identity.anonymous().post("/v1/auth/refresh", json={"refresh_token": session["refresh_token"]})
    assert (await _exchange(identity, fresh.json()["access_token"])).json()["scope"] == "orders:read"


async def test_a_wrong_form_is_refused_by_field(identity: Harness, acme: Company) -> None:
    token = (await acme.log_in()).json()["access_token"]
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"audience": "Orders!"}, "/audience"),
        ({"audience": None}, "/audience"),
        ({"audience": "tailrace"}, "/audience"),
        ({"grant_type": "password"}, "/grant_type"),
        ({"subject_token_type": f"{_URN}:token-type:id_token"}, "/subject_token_type"),
        ({"requested_token_type": f"{_URN}:token-type:refresh_token"}, "/requested_token_type"),
        ({"actor_token": token}, "/actor_token"),
        ({"scope": ""}, "/scope"),
    ]
    for changes, field in refusals:
        refused = await _exchange(identity, token, **changes)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
        assert token not in refused.text
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    client = identity.anonymous()
    many = b"&".join(b"a%d=1" % n for n in range(50))
    for content, fields in ((b"grant_type", [""]), (b"a=1&b=1&a=2", ["/a"]), (b"\xff=1", [""]), (many, [""])):
        refused = await client.post("/v1/auth/token", content=content, headers=form_type)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (400, fields)
    assert (await client.post("/v1/auth/token", content=b"", headers=form_type)).status_code == 422
    assert (await client.post("/v1/auth/token", json={"subject_token": token})).status_code == 415
    assert (await _exchange(identity, "x.y.z")).status_code == 401
