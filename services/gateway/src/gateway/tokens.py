"""Checks access tokens, and remembers for a moment which ones were good, since a signature check costs more than the rest of a request."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from tailrace.auth import Verifier, principal_of
from tailrace.context import Principal
from tailrace.problems import Unauthenticated

_LONGEST_TOKEN = 8192
_KEEP = 30.0
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Good:
    principal: Principal
    until: float


class Tokens:
    """Verified tokens by their SHA-256, at most `most` of them, each for `keep` seconds and never past its `exp`."""

    def __init__(
        self, verifier: Verifier, *, keep: float = _KEEP, most: int = _MOST, clock: Callable[[], float] = time.time
    ) -> None:
        self._verifier = verifier
        self._keep = keep
        self._most = most
        self._clock = clock
        self._good: dict[bytes, _Good] = {}

    def known(self, token: str) -> Principal | None:
        """The principal of a token that was verified a moment ago."""
        key = _key(token)
        good = self._good.get(key)
        if good is None:
            return None
        if self._clock() >= good.until:
            del self._good[key]
            return None
        return good.principal

    async def verify(self, token: str) -> Principal:
        """Raises Unauthenticated, or Unavailable when there are no keys to check with."""
        if len(token) > _LONGEST_TOKEN:
            raise Unauthenticated("The access token is too long.")
        claims = await self._verifier.claims(token)
        principal = principal_of(claims)
        now = self._clock()
        until = min(float(claims["exp"]), now + self._keep)
        if until > now:
            if len(self._good) >= self._most:
                del self._good[next(iter(self._good))]
            self._good[_key(token)] = _Good(principal, until)
        return principal

    def __len__(self) -> int:
        return len(self._good)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
