"""Each service checks the token itself and trusts no header that claims to know who somebody is.

Access tokens are RS256 JWTs (RFC 9068 in spirit) with `aud`, `iss`, `exp`, `sub`, `tenant`, `roles`, `scope` and `sid`. Policy shows in a
route's signature: `who: Annotated[Principal, Requires("orders:write")]`.
"""

import asyncio
import time
from typing import Annotated, Any, Protocol
from uuid import UUID

import aiohttp
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tailrace.context import Principal
from tailrace.problems import Forbidden, Unauthenticated, Unavailable
from tailrace.settings import Settings

ALGORITHMS = ["RS256"]
LEEWAY = 5
_REFRESH_AFTER = 300.0
_REFETCH_AT_MOST_EVERY = 1.0


class Keys(Protocol):
    """Where verification keys come from."""

    async def current(self, key_id: str | None) -> KeySet: ...


class PublishedKeys:
    """The JWKS that identity publishes, fetched when first needed, when a token names an unknown key, and every five minutes."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: KeySet | None = None
        self._fetched = self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self, key_id: str | None) -> KeySet:
        """Raises Unavailable when no key was ever fetched and identity does not answer."""
        if self._keys is None or key_id not in {key.kid for key in self._keys.keys}:
            async with self._lock:
                await self._fetch_unless_just_tried()
        elif time.monotonic() - self._fetched > _REFRESH_AFTER:
            await self._fetch_unless_just_tried()
        if self._keys is None:
            raise Unavailable("The keys that tokens are checked with cannot be fetched.")
        return self._keys

    async def _fetch_unless_just_tried(self) -> None:
        """Failures count as tries, or unknown key ids and a silent identity would hold up every request."""
        now = time.monotonic()
        if now - self._tried < _REFETCH_AT_MOST_EVERY:
            return
        self._tried = now
        try:
            timeout = aiohttp.ClientTimeout(total=2)
            async with aiohttp.ClientSession(timeout=timeout) as client, client.get(self._url) as response:
                response.raise_for_status()
                self._keys = KeySet.import_key_set(await response.json())
                self._fetched = time.monotonic()
        except (aiohttp.ClientError, JoseError, TimeoutError, ValueError, KeyError, TypeError):
            # The keys at hand go on being good; with none at hand the caller says so.
            return


class Verifier:
    """Turns an access token into the principal it speaks for, or refuses it."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            tenant={"essential": True},
        )

    async def principal(self, token: str) -> Principal:
        """Raises Unauthenticated unless signature, algorithm, issuer, audience and times all hold."""
        return principal_of(await self.claims(token))

    async def claims(self, token: str) -> dict[str, Any]:
        """The verified claims of an access token. Raises Unauthenticated."""
        try:
            keys = await self._keys.current(_key_id(token))
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            self._claims.validate(claims)
            principal_of(claims)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unauthenticated("The access token is not valid, or not any more.") from error
        return dict(claims)


def principal_of(claims: dict[str, Any]) -> Principal:
    """The principal that verified claims describe. Raises KeyError or ValueError when one is missing or malformed."""
    return Principal(
        user_id=UUID(claims["sub"]),
        tenant_id=UUID(claims["tenant"]),
        roles=frozenset(claims.get("roles", ())),
        scopes=frozenset(str(claims.get("scope", "")).split()),
        session_id=UUID(claims["sid"]) if claims.get("sid") else None,
    )


def _key_id(token: str) -> str | None:
    from joserfc.jws import extract_compact

    header = extract_compact(token.encode("ascii")).headers()
    return header.get("kid")


def bearer_token(request: Request) -> str:
    """The token of the Authorization header (RFC 6750). Raises Unauthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send an access token: Authorization: Bearer …")
    return token.strip()


def verifier_from(settings: Settings) -> Verifier:
    return Verifier(PublishedKeys(settings.jwks_url), issuer=settings.issuer, audience=settings.audience)


_declared = HTTPBearer(auto_error=False, bearerFormat="JWT")


def Requires(*scopes: str) -> Any:  # noqa: N802  (reads as a type where it is used)
    """A dependency that yields the Principal and refuses with 403 unless it has every scope named."""

    async def check(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_declared)]
    ) -> Principal:
        principal = getattr(request.state, "principal", None)
        if not isinstance(principal, Principal):
            raise Unauthenticated("This needs a log-in.")
        missing = [scope for scope in scopes if not principal.may(scope)]
        if missing:
            raise Forbidden(f"This needs the scope {' '.join(missing)}.")
        return principal

    return Depends(check)
