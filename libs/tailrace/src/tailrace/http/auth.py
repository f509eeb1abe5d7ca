"""Each service checks the token itself and trusts no header that claims to know who somebody is.

Access tokens are RS256 JWTs (RFC 9068) with `aud`, `iss`, `iat`, `exp`, `sub`, `tenant`, `sid`, `roles`, `role_versions` and `scope`. A service
takes those for the whole platform and those for itself alone. Policy shows in a route's signature: `who: Writer`, declared once per service as
`Writer = Annotated[Principal, Requires(write)]`, beside its scopes, `read, write = scopes("orders")`.
"""

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute

from tailrace.core.context import Principal, Reach
from tailrace.core.errors import Forbidden, Unauthenticated
from tailrace.core.manifest import OWN, TEAM
from tailrace.db.database import Tx
from tailrace.http.jwks import Keys, PublishedKeys
from tailrace.settings import Settings

ALGORITHMS = ["RS256"]
TYPE = "at+jwt"
LEEWAY = 5
_LONGEST_TOKEN = 8192
_MOST_KNOWN = 2000
_HEADERS = frozenset({"alg", "kid", "typ"})
_TYPES = frozenset({TYPE, f"application/{TYPE}"})
_ESSENTIAL = ("iat", "exp", "sub", "tenant", "sid")


@dataclass(slots=True)
class _Signed:
    """A token whose signature one of `keys` made; and from when to when all its claims are known to hold, which nothing but time can change."""

    key_id: str
    keys: KeySet
    claims: dict[str, Any]
    principal: Principal | None = None
    since: float = 0.0
    until: float = 0.0

    def good(self, keys: KeySet) -> Principal | None:
        """Whom it speaks for, as was found before; None where that is to be found out."""
        return self.principal if self.keys is keys and self.since <= time.time() < self.until else None


class Verifier:
    """Turns an access token into the principal it speaks for, or refuses it. `audiences` are those that the verifier answers to.

    Signature and claims are checked once, and again when the keys were fetched again, when `exp` has come, and when the clock was set back.
    """

    def __init__(self, keys: Keys, *, issuer: str, audiences: Collection[str]) -> None:
        self._keys = keys
        self._audiences = frozenset(audiences)
        self._signed: dict[bytes, _Signed] = {}
        essential: dict[str, Any] = {name: {"essential": True} for name in _ESSENTIAL}
        self._claims = jwt.JWTClaimsRegistry(leeway=LEEWAY, iss={"essential": True, "value": issuer}, **essential)

    async def principal(self, token: str) -> Principal:
        """Raises Unauthenticated unless type, signature, algorithm, issuer, audience and times all hold."""
        principal, claims = await self._verified(token)
        await self.ensure(principal, claims)
        return principal

    async def claims(self, token: str) -> dict[str, Any]:
        """The verified claims of an access token. Raises Unauthenticated, or Unavailable when its key cannot be fetched."""
        principal, claims = await self._verified(token)
        await self.ensure(principal, claims)
        return dict(claims)

    async def ensure(self, principal: Principal, claims: Mapping[str, Any]) -> None:
        """What a subclass asks besides, of every request. Raises Unauthenticated."""

    def key_id(self, token: str) -> str:
        """The key that a token names. Raises Unauthenticated for what is no access token of ours by its header alone."""
        return self._key_id(token, _digest(token))

    def claims_by(self, keys: KeySet, token: str) -> dict[str, Any]:
        """The verified claims of an access token, by the keys that are good now; without what a subclass asks besides. Raises Unauthenticated."""
        return dict(self._verified_by(keys, token, _digest(token))[1])

    async def _verified(self, token: str) -> tuple[Principal, dict[str, Any]]:
        digest = _digest(token)
        return self._verified_by(await self._keys.current(self._key_id(token, digest)), token, digest)

    def _key_id(self, token: str, digest: bytes) -> str:
        with _refusing():
            known = self._signed.get(digest)
            return key_id_of(token) if known is None else known.key_id

    def _verified_by(self, keys: KeySet, token: str, digest: bytes) -> tuple[Principal, dict[str, Any]]:
        known = self._signed.get(digest)
        if known is not None and (principal := known.good(keys)) is not None:
            return principal, known.claims
        with _refusing():
            now, known = time.time(), self._with_signature(keys, token, digest)
            self._claims.validate(known.claims)
            # One audience, as text: a token for several would be good at the one by what was granted for the other.
            if known.claims["aud"] not in self._audiences:
                raise ValueError("meant for somebody else")
            known.principal = principal_of(known.claims)
            known.since, known.until = now, float(known.claims["exp"])
        return known.principal, known.claims

    def _with_signature(self, keys: KeySet, token: str, digest: bytes) -> _Signed:
        """Raises what is no such token, or signed by none of these keys."""
        known = self._signed.get(digest)
        if known is None or known.keys is not keys:
            key_id = key_id_of(token)
            known = _Signed(key_id, keys, jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            if len(self._signed) >= _MOST_KNOWN:
                del self._signed[next(iter(self._signed))]
            self._signed[digest] = known
        return known


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unauthenticated("The access token is not valid, or not any more.") from error


def _digest(token: str) -> bytes:
    """Not the token itself: a dump of this process is to hold none."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def principal_of(claims: dict[str, Any]) -> Principal:
    """The principal that verified claims describe. Raises KeyError, TypeError or ValueError when one is missing or malformed."""
    return Principal(
        user_id=UUID(claims["sub"]),
        tenant_id=UUID(claims["tenant"]),
        roles=frozenset(_texts(claims.get("roles", []))),
        scopes=frozenset(_text(claims.get("scope", "")).split()),
        session_id=UUID(claims["sid"]),
    )


def role_versions(claims: Mapping[str, Any]) -> dict[UUID, int]:
    """Which version of each role the scopes of a token come from. Raises ValueError, AttributeError or TypeError when malformed."""
    return {UUID(role): int(version) for role, version in claims.get("role_versions", {}).items()}


def key_id_of(token: str) -> str:
    """The key that a token names. Raises JoseError or ValueError for what is no access token (RFC 9068) of ours by its header alone.

    No header but these three is needed, so none is taken: a key or its address in a header (`jwk`, `jku`, `x5u`) comes from the sender.
    """
    if len(token) > _LONGEST_TOKEN:
        raise ValueError("longer than any of ours")
    header = extract_compact(token.encode("ascii")).headers()
    if not _HEADERS.issuperset(header) or header.get("alg") not in ALGORITHMS:
        raise ValueError("a header that none of ours has")
    if _text(header.get("typ")).lower() not in _TYPES:
        raise ValueError("no access token")
    return _text(header.get("kid"))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list):
        raise TypeError("not a list")
    return [_text(value) for value in values]


def bearer_token(request: Request) -> str:
    """The token of the Authorization header (RFC 6750). Raises Unauthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send an access token: Authorization: Bearer …")
    return token.strip()


def verifier_from(settings: Settings, service: str) -> Verifier:
    """The verifier of a service: for tokens meant for the platform, and those meant for it alone."""
    keys = PublishedKeys(settings.jwks_url)
    return Verifier(keys, issuer=settings.issuer, audiences={settings.audience, service})


SCHEME = "token"
"""What OpenAPI documents call the way to show an access token."""


class _Declared(HTTPBearer):
    """Says in OpenAPI documents how to show a token; who shows one was found out before, by the route."""

    async def __call__(self, request: HTTPConnection) -> None:
        return None


_declared = _Declared(
    auto_error=False,
    scheme_name=SCHEME,
    bearerFormat="JWT",
    description="An access token (RFC 9068), as log-in and refresh answer it. An operation names the scopes that it must have.",
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token may be good for: `orders:write`, and what that lets its holder do."""

    name: str
    description: str
    by_owner: bool = False
    """It can be granted for rows of certain owners alone: as `orders:write:team`, or as `orders:write:own`."""

    @property
    def grantable(self) -> Mapping[str, str]:
        """The names that a role may hold it by, and what each lets its holder do."""
        if not self.by_owner:
            return {self.name: self.description}
        return {
            self.name: self.description,
            f"{self.name}:{TEAM}": f"{self.description}: those that one's teams look after",
            f"{self.name}:{OWN}": f"{self.description}: those that one looks after oneself",
        }


def scopes(resource: str, *, read: str, write: str, by_owner: bool = False) -> tuple[Scope, Scope]:
    """The two that most services have, and what each lets its holder do: to read the resource, and to change it."""
    return Scope(f"{resource}:read", read, by_owner), Scope(f"{resource}:write", write, by_owner)


class Colleagues(Protocol):
    """What knows whose rows come with those of a user's teams: `tailrace.messaging.teams.Teams`."""

    async def colleagues(self, tx: Tx, user_id: UUID) -> frozenset[UUID]:
        """Who is in a team of the user's, or in one below; the user is."""
        ...


def Requires(*scopes: Scope) -> Any:  # noqa: N802  (reads as a type where it is used)
    """A dependency that yields the Principal and refuses with 403 unless it has every scope named.

    When one of them reaches the caller's rows alone, or those of the caller's teams, the request's transaction sees no others.
    """

    async def check(request: Request, _: Annotated[None, Depends(_declared)]) -> Principal:
        principal = getattr(request.state, "principal", None)
        if not isinstance(principal, Principal):
            raise Unauthenticated("This needs a log-in.")
        reach = check_scopes(principal, scopes)
        if reach < Reach.ALL:
            await narrow(request.state.tx, principal.user_id, reach, request.app.state.teams)
        return principal

    vars(check)["scopes"] = frozenset(scopes)
    return Depends(check)


def check_scopes(principal: Principal, scopes: Iterable[Scope]) -> Reach:
    """How far all of them reach together. Raises Forbidden unless the caller has every one."""
    reaches = {scope.name: reach_of(principal, scope) for scope in scopes}
    missing = [name for name, reach in reaches.items() if reach is None]
    if missing:
        raise Forbidden(f"This needs the scope {' '.join(missing)}.")
    return min((reach for reach in reaches.values() if reach is not None), default=Reach.ALL)


def reach_of(principal: Principal, scope: Scope) -> Reach | None:
    """How far a scope is granted; None when it is not."""
    if scope.by_owner:
        return principal.reach(scope.name)
    return Reach.ALL if principal.may(scope.name) else None


async def narrow(tx: Tx, user_id: UUID, reach: Reach, teams: Colleagues | None) -> None:
    """Let a transaction see what a user may see who has this reach. For all that acts for a user later, too: exports, jobs."""
    if reach is Reach.ALL:
        return
    whose = await teams.colleagues(tx, user_id) if reach is Reach.TEAM and teams is not None else frozenset({user_id})
    tx.narrow(whose)


def scopes_of(route: BaseRoute) -> frozenset[Scope]:
    """The scopes that a route asks for, itself or by what it depends on."""
    if not isinstance(route, APIRoute):
        return frozenset()
    found: set[Scope] = set()
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        found |= getattr(dependant.call, "scopes", frozenset())
        waiting += dependant.dependencies
    return frozenset(found)
