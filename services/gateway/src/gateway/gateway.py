"""What happens to a request that is forwarded, in order: read its head strictly, find its service, check the token and the allowance, wait for its
body, and only then let it be one of the requests that its tenant or address has under way.
"""

from collections.abc import Callable, Hashable
from contextlib import ExitStack
from dataclasses import dataclass

import structlog
from starlette.types import Receive, Scope, Send

from gateway.accesses import Access, Teller, Templates
from gateway.forward import Forwarder
from gateway.head import Head, read_head
from gateway.in_flight import InFlight
from gateway.limits import Limit
from gateway.pace import Pace
from gateway.revocations import Revocations
from gateway.table import Table
from gateway.tokens import Tokens
from gateway.upload import READ_AHEAD, ClientGone, Upload
from tailrace.core.context import Principal
from tailrace.core.errors import Problem, TooLarge, Unauthenticated, Unavailable, Unknown
from tailrace.core.manifest import Route
from tailrace.http.addresses import address_key


@dataclass(frozen=True, slots=True)
class Shares:
    """What each tenant, or each address without a token, may have of what all share: rates, requests under way, and long bodies among them."""

    tenant_rate: Limit
    address_rate: Limit
    tenant_requests: InFlight
    tenant_uploads: InFlight
    address_requests: InFlight


@dataclass(frozen=True, slots=True)
class _Charged:
    """Whom a request is charged to: `rate` are the headers that say what is left, `key` is the tenant or the address."""

    key: Hashable
    rate: dict[str, str]
    in_flight: InFlight
    principal: Principal | None = None


class Gateway:
    """An ASGI application for every path that the gateway does not answer itself. Raises Problems, which the app around it answers."""

    def __init__(
        self,
        table: Table,
        tokens: Tokens,
        revocations: Revocations,
        *,
        audience: str,
        shares: Shares,
        pace: Callable[[], Pace],
        forwarder: Forwarder,
        templates: Templates,
        teller: Teller | None = None,
    ) -> None:
        """`teller` is told of each access; nobody is when there is none."""
        self._table = table
        self._tokens = tokens
        self._revocations = revocations
        self._audience = audience
        self._shares = shares
        self._pace = pace
        self._forwarder = forwarder
        self._templates = templates
        self._teller = teller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = read_head(scope)
        route = self._table.match(head.segments)
        if route is None:
            raise Unknown("path", scope["path"])
        charged = await self._admit(route, head, scope)
        if self._teller is None or charged.principal is None:
            await self._pass_on(route, head, charged, scope, receive, send)
            return
        access = Access(send)
        try:
            await self._pass_on(route, head, charged, scope, receive, access.send)
        except Problem as problem:
            access.status = problem.status
            raise
        finally:
            access.tell(self._teller, self._templates, charged.principal, route, head, scope)

    async def _pass_on(
        self, route: Route, head: Head, charged: _Charged, scope: Scope, receive: Receive, send: Send
    ) -> None:
        # Without a token nobody has a body passed on that is not here yet.
        limit = min(route.body_limit, READ_AHEAD) if route.public else route.body_limit
        if head.length is not None and head.length > limit:
            raise TooLarge(limit)
        upload = Upload(receive, limit, self._pace())
        try:
            await upload.read_ahead(head.has_body)
            with ExitStack() as held:
                held.enter_context(charged.in_flight.hold(charged.key))
                if not upload.whole:
                    held.enter_context(self._shares.tenant_uploads.hold(charged.key))
                await self._forwarder.forward(route, head, scope, upload, send, charged.rate, self._pace())
        except ClientGone:
            return

    async def _admit(self, route: Route, head: Head, scope: Scope) -> _Charged:
        """The caller that this request is charged to: its tenant, or on public paths the address it comes from."""
        shares = self._shares
        peer = scope.get("client")
        address = address_key(peer[0] if peer else None)
        if route.public:
            structlog.contextvars.bind_contextvars(upstream=route.service, tenant=None)
            return _Charged(address, shares.address_rate.take(address), shares.address_requests)
        if not self._revocations.complete:
            raise Unavailable("What was revoked is being read; nothing was done.")
        principal = await self._principal(route, head, address)
        structlog.contextvars.bind_contextvars(upstream=route.service, tenant=str(principal.tenant_id))
        tenant = principal.tenant_id
        return _Charged(tenant, shares.tenant_rate.take(tenant), shares.tenant_requests, principal)

    async def _principal(self, route: Route, head: Head, address: str) -> Principal:
        """An address pays for every token of its that is refused, and gets no more of them checked when it has run out."""
        scheme, _, token = head.authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            self._shares.address_rate.take(address)
            raise Unauthenticated("Send an access token: Authorization: Bearer …")
        passport = self._tokens.known(token)
        try:
            if passport is None:
                self._shares.address_rate.check(address)
                passport = await self._tokens.verify(token)
            if passport.audience not in (self._audience, route.service):
                raise Unauthenticated("This token is for another service.")
            self._revocations.check(passport)
        except Unauthenticated:
            self._shares.address_rate.take(address)
            raise
        return passport.principal
