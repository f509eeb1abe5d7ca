"""Signing keys: whoever has the published set can verify, nobody who reads the table can sign, and a change of keys breaks no token."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from joserfc.jwk import KeySet

from contracts.users import SigningKeyRevoked
from identity import tenants
from identity.keys import PUBLISHED_AHEAD, SigningKeys
from identity.models import PLATFORM
from tailrace.core.errors import Unauthenticated
from tailrace.http.auth import Verifier
from tailrace.http.jwks import REFRESH_AFTER
from tailrace_testing import Harness

from .conftest import Company


class _Published:
    """The set as another service has it."""

    def __init__(self, document: Any) -> None:
        self.keys = KeySet.import_key_set(document)

    async def current(self, key_id: str | None) -> KeySet:
        return self.keys


async def _published(identity: Harness) -> dict[str, Any]:
    answer = await identity.anonymous().get("/.well-known/jwks.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def _verifier(document: dict[str, Any]) -> Verifier:
    return Verifier(_Published(document), issuer="tailrace", audiences={"tailrace"})


async def test_the_published_keys_verify_what_a_log_in_yields(identity: Harness, acme: Company) -> None:
    document = await _published(identity)
    assert {set(key) <= {"kty", "n", "e", "kid", "use", "alg"} for key in document["keys"]} == {True}
    token = (await acme.log_in()).json()["access_token"]
    claims = await _verifier(document).claims(token)
    principal = await _verifier(document).principal(token)
    assert principal.tenant_id == acme.id
    assert principal.may("orders:write")
    assert claims["exp"] - claims["iat"] == 3600
    assert UUID(claims["jti"]) != UUID(claims["sid"])
    header = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    assert (header["alg"], header["kid"]) == ("RS256", document["keys"][0]["kid"])


async def test_a_token_of_another_hand_is_refused(identity: Harness, acme: Company) -> None:
    token = (await acme.log_in()).json()["access_token"]
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "scope": "platform:*"}).encode()).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        await _verifier(await _published(identity)).claims(f"{head}.{forged}.{signature}")


def _kid(token: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))["kid"])


def _keys(identity: Harness, secret: str | None = None) -> SigningKeys:
    """The keys as another process of identity has them."""
    return SigningKeys(identity.database, secret or identity.settings.secret, 3600)


async def _rotate(operator: httpx2.AsyncClient, **body: Any) -> list[dict[str, Any]]:
    answer = await operator.post("/v1/auth/keys", json=body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _use(identity: Harness, token: str) -> int:
    answer = await identity.anonymous().get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


async def test_processes_that_start_at_once_share_one_key(identity: Harness) -> None:
    await identity.admin.execute("DELETE FROM signing_key")
    several = [_keys(identity, "a secret of ours") for _ in range(4)]
    await asyncio.gather(*(keys.open() for keys in several))
    assert await identity.admin.fetchval("SELECT count(*) FROM signing_key") == 1
    assert _kid(await several[0].sign({"iss": "tailrace"})) in str(await several[3].published())


async def test_the_private_half_is_encrypted(identity: Harness) -> None:
    sealed = await identity.admin.fetchval("SELECT private_key FROM signing_key")
    assert b"PRIVATE KEY" not in sealed
    assert "d" not in json.loads(await identity.admin.fetchval("SELECT public_key FROM signing_key"))


async def test_a_key_that_grows_old_is_replaced_while_identity_runs(identity: Harness, acme: Company) -> None:
    """Published first, and signing only when every verifier has had the time to fetch it; nobody restarts anything."""
    before = (await acme.log_in()).json()["access_token"]
    await identity.admin.execute("UPDATE signing_key SET created_at = now() - interval '91 days'")
    during = [(await acme.log_in()).json()["access_token"] for _ in range(2)]
    document = await _published(identity)
    assert {_kid(token) for token in (before, *during)} == {_kid(before)}
    assert len(document["keys"]) == 2
    ahead = await identity.admin.fetchval("SELECT max(signs_from) - now() FROM signing_key")
    assert timedelta(seconds=REFRESH_AFTER) < ahead <= PUBLISHED_AHEAD
    await identity.admin.execute("UPDATE signing_key SET signs_from = now() WHERE signs_from > now()")
    after = (await acme.log_in()).json()["access_token"]
    assert _kid(after) != _kid(before)
    assert _kid(after) in str(document), "it was published before it signed"
    for token in (before, *during, after):
        assert (await _verifier(document).principal(token)).tenant_id == acme.id
        assert await _use(identity, token) == 200


async def test_a_key_leaves_when_the_last_token_that_it_signed_has_expired(
    identity: Harness, acme: Company, operator: httpx2.AsyncClient
) -> None:
    before = (await acme.log_in()).json()["access_token"]
    await _rotate(operator, at_once=True)
    assert _kid(before) in str(await _published(identity))
    for age, stays in (("64 minutes", True), ("66 minutes", False)):
        newest = "(SELECT id FROM signing_key ORDER BY created_at DESC LIMIT 1)"
        await identity.admin.execute(
            f"UPDATE signing_key SET signs_from = now() - interval '{age}' WHERE id = {newest}"
        )
        await identity.admin.execute(
            f"UPDATE signing_key SET signs_from = now() - interval '1 day' WHERE id <> {newest}"
        )
        assert (_kid(before) in str(await _published(identity))) is stays, age
    states = [key["state"] for key in (await operator.get("/v1/auth/keys")).json()["items"]]
    assert states == ["signing", "retired"]
    assert [key["state"] for key in await _rotate(operator)] == ["next", "signing"]


async def test_another_secret_makes_another_key_at_once_and_breaks_no_token(identity: Harness, acme: Company) -> None:
    before = (await acme.log_in()).json()["access_token"]
    changed = _keys(identity, "quite another secret")
    await changed.open()
    after = await changed.sign({"iss": "tailrace"})
    document = await _published(identity)
    assert _kid(after) != _kid(before)
    assert {key["kid"] for key in document["keys"]} == {_kid(before), _kid(after)}
    assert (await _verifier(document).principal(before)).tenant_id == acme.id


async def test_every_process_signs_with_a_new_key_without_a_restart(
    identity: Harness, acme: Company, operator: httpx2.AsyncClient
) -> None:
    other = _keys(identity)
    await other.open()
    [first] = (await operator.get("/v1/auth/keys")).json()["items"]
    new, old = await _rotate(operator, at_once=True, reason="because we can")
    assert (new["state"], old["state"], old["id"]) == ("signing", "verifying", first["id"])
    assert old["verifies_until"] is not None
    assert new["verifies_until"] is None
    assert _kid(await other.sign({})) == new["id"] == _kid((await acme.log_in()).json()["access_token"])


async def test_a_revoked_key_is_good_for_nothing_at_any_process_and_logs_nobody_out(
    identity: Harness, acme: Company, operator: httpx2.AsyncClient
) -> None:
    session = (await acme.log_in()).json()
    other = _keys(identity)
    await other.open()
    await _founded_platform(identity)
    await _rotate(operator)
    items = await _rotate(operator, revoke=True, reason="a laptop was stolen")
    [signing] = [key["id"] for key in items if key["state"] == "signing"]
    revoked = {key["id"] for key in items if key["state"] == "revoked"}
    assert len(revoked) == 2, "the one that signed, and the one that was about to"
    assert [key["kid"] for key in (await _published(identity))["keys"]] == [signing]
    assert _kid(await other.sign({})) == signing
    with pytest.raises(Unauthenticated):
        await _verifier(await _published(identity)).principal(session["access_token"])
    answer = await identity.anonymous().post("/v1/auth/refresh", json={"refresh_token": session["refresh_token"]})
    assert await _use(identity, answer.json()["access_token"]) == 200
    events = await identity.published(SigningKeyRevoked, tenant=PLATFORM)
    assert {event.event.model_dump(mode="json")["key_id"] for event in events} == revoked
    audited = (await operator.get("/v1/auth/audit-logs", params={"action": "signing_key.rotated"})).json()["items"]
    assert [entry["details"]["reason"] for entry in audited] == ["a laptop was stolen", None]


async def _founded_platform(identity: Harness) -> None:
    settings = identity.settings.model_copy(update={"operator_password": "first password"})
    await tenants.ensure_operator(identity.database, settings)


async def test_keys_are_the_operators(identity: Harness, acme: Company) -> None:
    admin = identity.client_as(tenant=acme.id)
    assert (await admin.post("/v1/auth/keys", json={})).status_code == 403
    assert (await admin.get("/v1/auth/keys")).status_code == 403
