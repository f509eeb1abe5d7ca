"""What happens to a request that is forwarded, in order: read its head strictly, find its service, check the token and the allowance."""

import structlog
from starlette.types import Receive, Scope, Send

from gateway.forward import Forwarder
from gateway.head import Head, read_head
from gateway.limits import Limit, address_key
from gateway.revocations import Revocations
from gateway.table import Table
from gateway.tokens import Tokens
from tailrace.core.context import Principal
from tailrace.core.errors import TooLarge, Unauthenticated, Unavailable, Unknown
from tailrace.core.manifest import Route


class Gateway:
    """An ASGI application for every path that the gateway does not answer itself. Raises Problems, which the app around it answers."""

    def __init__(
        self,
        table: Table,
        tokens: Tokens,
        revocations: Revocations,
        *,
        audience: str,
        tenants: Limit,
        addresses: Limit,
        forwarder: Forwarder,
    ) -> None:
        self._table = table
        self._tokens = tokens
        self._revocations = revocations
        self._audience = audience
        self._tenants = tenants
        self._addresses = addresses
        self._forwarder = forwarder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = read_head(scope)
        route = self._table.match(head.segments)
        if route is None:
            raise Unknown("path", scope["path"])
        rate_limit = await self._admit(route, head, scope)
        if head.length is not None and head.length > route.body_limit:
            raise TooLarge(route.body_limit)
        await self._forwarder.forward(route, head, scope, receive, send, rate_limit)

    async def _admit(self, route: Route, head: Head, scope: Scope) -> dict[str, str]:
        """The RateLimit headers of the caller that this request is charged to: its tenant, or on public paths the address it comes from."""
        address = address_key(scope.get("client"))
        if route.public:
            structlog.contextvars.bind_contextvars(upstream=route.service, tenant=None)
            return self._addresses.take(address)
        if not self._revocations.complete:
            raise Unavailable("What was revoked is being read; nothing was done.")
        principal = await self._principal(route, head, address)
        structlog.contextvars.bind_contextvars(upstream=route.service, tenant=str(principal.tenant_id))
        return self._tenants.take(principal.tenant_id)

    async def _principal(self, route: Route, head: Head, address: str) -> Principal:
        """An address pays for every token of its that is refused, and gets no more of them checked when it has run out."""
        scheme, _, token = head.authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            self._addresses.take(address)
            raise Unauthenticated("Send an access token: Authorization: Bearer …")
        passport = self._tokens.known(token)
        try:
            if passport is None:
                self._addresses.check(address)
                passport = await self._tokens.verify(token)
            if passport.audience not in (self._audience, route.service):
                raise Unauthenticated("This token is for another service.")
            self._revocations.check(passport)
        except Unauthenticated:
            self._addresses.take(address)
            raise
        return passport.principal
