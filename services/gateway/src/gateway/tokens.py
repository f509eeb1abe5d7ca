"""Checks access tokens, and remembers for a moment which ones were good, since a signature check costs more than the rest of a request.

What is remembered is who holds the token, never that it may pass: revocations are asked at each request.
"""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc.jwk import KeySet

from tailrace.core.context import Principal
from tailrace.http.auth import Verifier, key_id_of, principal_of, role_versions

_KEEP = 30.0
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Passport:
    """A verified token, as far as it matters here: whom it speaks for, to which service, what it stands on, and until when (seconds of the epoch)."""

    principal: Principal
    audience: str
    key_id: str
    role_versions: Mapping[UUID, int]
    expires: float = math.inf


@dataclass(frozen=True, slots=True)
class _Good:
    passport: Passport
    until: float


class Tokens:
    """Verified tokens by their SHA-256, at most `most` of them, each for `keep` seconds and never past its `exp`."""

    def __init__(
        self,
        verifier: Verifier,
        *,
        at_hand: Callable[[str], KeySet | None] = lambda _: None,
        keep: float = _KEEP,
        most: int = _MOST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`at_hand` are the keys that are good now, where they are known without waiting for the one that is named."""
        self._verifier = verifier
        self._at_hand = at_hand
        self._keep = keep
        self._most = most
        self._clock = clock
        self._good: dict[bytes, _Good] = {}

    def known(self, token: str) -> Passport | None:
        """The passport of a token that was verified a moment ago."""
        key = _key(token)
        good = self._good.get(key)
        if good is None:
            return None
        if self._clock() >= good.until:
            del self._good[key]
            return None
        return good.passport

    async def verify(self, token: str) -> Passport:
        """Raises Unauthenticated, or Unavailable when there are no keys to check with."""
        return self._keep_good(token, await self._verifier.claims(token))

    def verify_at_once(self, token: str) -> Passport | None:
        """The same, where nothing has to be waited for; None, where something has. Raises Unauthenticated."""
        keys = self._at_hand(self._verifier.key_id(token))
        return None if keys is None else self._keep_good(token, self._verifier.claims_by(keys, token))

    def _keep_good(self, token: str, claims: dict[str, Any]) -> Passport:
        expires = float(claims["exp"])
        passport = Passport(principal_of(claims), claims["aud"], key_id_of(token), role_versions(claims), expires)
        now = self._clock()
        until = min(expires, now + self._keep)
        if until > now:
            if len(self._good) >= self._most:
                del self._good[next(iter(self._good))]
            self._good[_key(token)] = _Good(passport, until)
        return passport

    def __len__(self) -> int:
        return len(self._good)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
