"""The tokens of a run: RS256, 500 of them, each of a tenant, a user and a session of its own, and the key that they verify with."""

import time
from dataclasses import dataclass
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tailrace.http.auth import TYPE

KEY_ID = "bench"
LIVES = 3600


@dataclass(frozen=True)
class Signer:
    """A key of this run."""

    key: RSAKey

    @classmethod
    def make(cls) -> "Signer":
        return cls(RSAKey.generate_key(2048, {"kid": KEY_ID, "use": "sig", "alg": "RS256"}))

    def tokens(self, many: int) -> list[str]:
        return [self._token() for _ in range(many)]

    def published(self) -> dict[str, object]:
        """The key as identity publishes it (RFC 7517)."""
        return dict(KeySet([self.key]).as_dict(private=False))

    def public_pem(self) -> str:
        return self.key.as_pem(private=False).decode()

    def _token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": "tailrace",
            "aud": "tailrace",
            "sub": str(uuid4()),
            "tenant": str(uuid4()),
            "roles": ["sales"],
            "scope": "orders:read orders:write customers:read quotes:read",
            "sid": str(uuid4()),
            "iat": now,
            "exp": now + LIVES,
        }
        return jwt.encode({"alg": "RS256", "kid": KEY_ID, "typ": TYPE}, claims, self.key)
