"""Who asks, and whom a request is charged to: its token is checked, and the allowance that it is taken from is its tenant's or its address's."""

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import structlog
from starlette.types import Scope

from gateway.head import Head
from gateway.in_flight import InFlight
from gateway.limits import Limit
from gateway.revocations import Revocations
from gateway.tokens import Passport, Tokens
from tailrace.core.context import Principal
from tailrace.core.errors import Unauthenticated, Unavailable
from tailrace.core.manifest import Route
from tailrace.http.protocol.addresses import address_key


@dataclass(frozen=True, slots=True)
class Shares:
    """What each tenant, or each address without a token, may have of what all share: rates, requests under way, long bodies among them, streams."""

    tenant_rate: Limit
    address_rate: Limit
    tenant_requests: InFlight
    tenant_streams: InFlight
    tenant_uploads: InFlight
    address_requests: InFlight


@dataclass(frozen=True, slots=True)
class Charged:
    """Whom a request is charged to: `key` is the tenant or the address, `rate` are the headers that say what is left."""

    key: Hashable
    allowance: Limit
    rate: dict[str, str]
    in_flight: InFlight
    principal: Principal | None = None
    """None on public paths."""
    holds: Callable[[], bool] = lambda: True
    """Whether what let the request in still would: asked again and again of an answer that goes on."""
    streams: InFlight | None = None
    """What a stream of theirs is counted among, where they may have one."""

    def more(self, requests: int) -> dict[str, str]:
        """The headers after so many further requests were taken from the allowance. Raises TooManyRequests."""
        rate = self.rate
        for _ in range(requests):
            rate = self.allowance.take(self.key)
        return rate

    def streaming(self) -> "Charged":
        """The same, of a request that turns out to be answered by a stream."""
        return self if self.streams is None else replace(self, in_flight=self.streams)


class Admission:
    """The door that every request comes through, on public paths and others."""

    def __init__(self, tokens: Tokens, revocations: Revocations, shares: Shares, audience: str) -> None:
        self._tokens = tokens
        self._revocations = revocations
        self._shares = shares
        self._audience = audience

    async def admit(self, route: Route, head: Head, scope: Scope) -> Charged:
        """The caller that this request is charged to: its tenant, or on public paths the address it comes from."""
        shares = self._shares
        peer = scope.get("client")
        address = address_key(peer[0] if peer else None)
        if route.public:
            structlog.contextvars.bind_contextvars(upstream=route.service, tenant=None)
            return Charged(address, shares.address_rate, shares.address_rate.take(address), shares.address_requests)
        passport = self.known(route, head, address) or await self._verified(route, head, address)
        structlog.contextvars.bind_contextvars(upstream=route.service, tenant=str(passport.principal.tenant_id))
        return self.charge(route, passport)

    def known(self, route: Route, head: Head, address: str) -> Passport | None:
        """Whom a token speaks for, where that is known at once; None, where keys to verify it with have to be waited for. Raises what refuses the
        request."""
        if not self._revocations.complete:
            raise Unavailable("What was revoked is being read; nothing was done.")
        token = _token(head)
        if not token:
            self._shares.address_rate.take(address)
            raise Unauthenticated("Send an access token: Authorization: Bearer …")
        passport = self._tokens.known(token)
        if passport is None:
            passport = self._verified_at_once(token, address)
        if passport is not None:
            self._check(route, passport, address)
        return passport

    def charge(self, route: Route, passport: Passport) -> Charged:
        """Take one request from the allowance of the tenant. Raises TooManyRequests."""
        shares, principal = self._shares, passport.principal
        tenant = principal.tenant_id
        rate, holds = shares.tenant_rate.take(tenant), partial(self._holds, passport)
        streams = shares.tenant_streams
        charged = Charged(tenant, shares.tenant_rate, rate, shares.tenant_requests, principal, holds, streams)
        return charged.streaming() if route.stream else charged

    def _holds(self, passport: Passport) -> bool:
        """Whether a token that was good is not over, and nothing that it stands on was revoked."""
        try:
            self._revocations.check(passport)
        except Unauthenticated:
            return False
        return time.time() < passport.expires

    def _verified_at_once(self, token: str, address: str) -> Passport | None:
        with self._at_the_expense_of(address):
            return self._tokens.verify_at_once(token)

    async def _verified(self, route: Route, head: Head, address: str) -> Passport:
        with self._at_the_expense_of(address):
            passport = await self._tokens.verify(_token(head))
        self._check(route, passport, address)
        return passport

    @contextmanager
    def _at_the_expense_of(self, address: str) -> Iterator[None]:
        """An address pays for every token of its that is refused, and gets no more of them checked when it has run out."""
        self._shares.address_rate.check(address)
        try:
            yield
        except Unauthenticated:
            self._shares.address_rate.take(address)
            raise

    def _check(self, route: Route, passport: Passport, address: str) -> None:
        """Raises Unauthenticated for a token that is good, and not for this, or not any more."""
        try:
            if passport.audience not in (self._audience, route.service):
                raise Unauthenticated("This token is for another service.")
            self._revocations.check(passport)
        except Unauthenticated:
            self._shares.address_rate.take(address)
            raise


def _token(head: Head) -> str:
    """What `Authorization: Bearer` says; nothing, where something else stands there."""
    scheme, _, token = head.authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
