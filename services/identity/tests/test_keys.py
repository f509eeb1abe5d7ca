"""Signing keys: whoever has the published set can verify, nobody who reads the table can sign, and a change of keys breaks no token."""

import asyncio
import base64
import json
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import KeySet

from identity.keys import SigningKeys
from tailrace.auth import Verifier
from tailrace.problems import Unauthenticated
from tailrace_testing import Harness


class _Published:
    """The set as another service has it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.keys = KeySet.import_key_set(document)

    async def current(self, key_id: str | None) -> KeySet:
        return self.keys


async def _published(identity: Harness) -> dict[str, Any]:
    answer = await identity.anonymous().get("/.well-known/jwks.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def _verifier(document: dict[str, Any]) -> Verifier:
    return Verifier(_Published(document), issuer="tailrace", audience="tailrace")


async def test_the_published_keys_verify_what_a_log_in_yields(identity: Harness, acme: Any) -> None:
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


async def test_a_token_of_another_hand_is_refused(identity: Harness, acme: Any) -> None:
    token = (await acme.log_in()).json()["access_token"]
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "scope": "platform:*"}).encode()).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        await _verifier(await _published(identity)).claims(f"{head}.{forged}.{signature}")


async def test_processes_that_start_at_once_share_one_key(identity: Harness) -> None:
    await identity.admin.execute("DELETE FROM signing_key")
    several = [SigningKeys(identity.database, "a secret of ours") for _ in range(4)]
    await asyncio.gather(*(keys.open() for keys in several))
    assert await identity.admin.fetchval("SELECT count(*) FROM signing_key") == 1
    token = several[0].sign({"iss": "tailrace"})
    assert json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))["kid"] in str(
        await several[3].published()
    )


async def test_the_private_half_is_encrypted(identity: Harness) -> None:
    sealed = await identity.admin.fetchval("SELECT private_key FROM signing_key")
    assert b"PRIVATE KEY" not in sealed
    assert "d" not in json.loads(await identity.admin.fetchval("SELECT public_key FROM signing_key"))


@pytest.mark.parametrize("change", ["an old key", "another secret"])
async def test_tokens_outlive_a_change_of_keys(identity: Harness, acme: Any, change: str) -> None:
    before = (await acme.log_in()).json()["access_token"]
    secret = identity.settings.secret
    if change == "an old key":
        await identity.admin.execute("UPDATE signing_key SET created_at = now() - interval '91 days'")
    else:
        secret = "quite another secret"
    await SigningKeys(identity.database, secret).open()
    document = await _published(identity)
    assert len(document["keys"]) == 2
    assert (await _verifier(document).principal(before)).tenant_id == acme.id
