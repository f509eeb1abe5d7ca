"""A signature is checked once; that a token has run out, or that its key is gone, is seen with the next request all the same."""

import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tailrace.core.errors import Unauthenticated
from tailrace.http import auth
from tailrace.http.auth import LEEWAY, Verifier
from tailrace_testing.tokens import TestIssuer


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every token whose signature was checked."""
    tokens: list[str] = []
    decode = jwt.decode

    def noted(token: str, *rest: Any, **more: Any) -> Any:
        tokens.append(token)
        return decode(token, *rest, **more)

    monkeypatch.setattr(jwt, "decode", noted)
    return tokens


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def verifier(issuer: TestIssuer) -> Verifier:
    return issuer.verifier_for("toy")


async def test_a_signature_is_checked_once(issuer: TestIssuer, verifier: Verifier, decoded: list[str]) -> None:
    one, other = (issuer.token(tenant=uuid4()) for _ in range(2))
    seen = [(await verifier.principal(token)).tenant_id for token in (one, other, one, other)]
    assert seen[:2] == seen[2:]
    assert seen[0] != seen[1]
    assert decoded == [one, other]


async def test_what_the_caller_does_to_the_claims_stays_with_it(issuer: TestIssuer, verifier: Verifier) -> None:
    token = issuer.token(tenant=uuid4(), scopes="toys:read")
    (await verifier.claims(token))["scope"] = "*"
    assert (await verifier.claims(token))["scope"] == "toys:read"


async def test_a_known_token_runs_out(
    issuer: TestIssuer, verifier: Verifier, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token(tenant=uuid4(), lifetime=60)
    await verifier.principal(token)
    later = time.time() + 60 + LEEWAY + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Unauthenticated):
        await verifier.principal(token)
    assert decoded == [token]


async def test_a_known_token_ends_with_its_key(issuer: TestIssuer, verifier: Verifier) -> None:
    token = issuer.token(tenant=uuid4())
    await verifier.principal(token)
    issuer.keys = KeySet([])
    with pytest.raises(Unauthenticated):
        await verifier.principal(token)


async def test_a_forged_token_is_never_known(issuer: TestIssuer, verifier: Verifier, decoded: list[str]) -> None:
    token = TestIssuer().token(tenant=uuid4())
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await verifier.principal(token)
    assert decoded == [token, token]


async def test_no_more_are_kept_than_there_is_room_for(
    issuer: TestIssuer, verifier: Verifier, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_MOST_KNOWN", 2)
    tokens = [issuer.token(tenant=uuid4()) for _ in range(3)]
    for token in [*tokens, tokens[2], tokens[0]]:
        await verifier.principal(token)
    assert decoded == [*tokens, tokens[0]]
