"""Access tokens signed by a key that the test run makes, and the verifier that accepts them."""

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tailrace.core.context import Principal
from tailrace.core.errors import Unauthenticated
from tailrace.core.ids import uuid7
from tailrace.http.auth import TYPE, Verifier

ISSUER = AUDIENCE = "tailrace"
KEY_ID = "test"


class TestIssuer:
    """Stands where identity stands: signs tokens, and hands out the public key."""

    __test__ = False

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": KEY_ID, "use": "sig", "alg": "RS256"})
        self.keys = KeySet([self.key])

    async def current(self, key_id: str | None) -> KeySet:
        return self.keys

    def verifier_for(self, service: str) -> Verifier:
        return Verifier(self, issuer=ISSUER, audiences={AUDIENCE, service})

    def claims(
        self,
        *,
        tenant: UUID,
        user: UUID | None = None,
        scopes: str = "*",
        roles: Iterable[str] = ("admin",),
        lifetime: int = 3600,
        **claims: Any,
    ) -> dict[str, Any]:
        """What a token of identity's says; `claims` override or add."""
        now = int(time.time())
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user or uuid7()),
            "tenant": str(tenant),
            "roles": list(roles),
            "scope": scopes,
            "sid": str(uuid7()),
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + lifetime,
            **claims,
        }

    def token(self, *, tenant: UUID, **claims: Any) -> str:
        """A signed token; see `claims`."""
        return self.sign(self.claims(tenant=tenant, **claims))

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": KEY_ID, "typ": TYPE}, claims, self.key)


class EitherVerifier(Verifier):
    """Takes the test run's tokens, and those of a service that signs and verifies its own."""

    def __init__(self, first: Verifier, second: Verifier) -> None:
        self._first, self._second = first, second

    async def principal(self, token: str) -> Principal:
        try:
            return await self._first.principal(token)
        except Unauthenticated:
            return await self._second.principal(token)

    async def claims(self, token: str) -> dict[str, Any]:
        try:
            return await self._first.claims(token)
        except Unauthenticated:
            return await self._second.claims(token)
