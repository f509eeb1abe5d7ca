"""What happens to a request that is forwarded, in order: read its head strictly, find its service, check the token and the allowance, wait for its
body, and only then let it be one of the requests that its tenant or address has under way.
"""

from collections.abc import Callable
from contextlib import ExitStack

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.accesses import Accesses
from gateway.admission import Admission
from gateway.begun import BEGUN, Begun
from gateway.forward import Forwarder
from gateway.head import read_head
from gateway.in_flight import InFlight
from gateway.pace import Pace
from gateway.table import Table
from gateway.upload import READ_AHEAD, ClientGone, Upload
from tailrace.core.errors import TooLarge, Unknown
from tailrace.http.protocol.problem_details import METHODS


class Gateway:
    """An ASGI application for every path that the gateway does not answer itself. Raises Problems, which the app around it answers."""

    def __init__(
        self,
        table: Table,
        admission: Admission,
        forwarder: Forwarder,
        pace: Callable[[], Pace],
        accesses: Accesses,
        *,
        tenant_uploads: InFlight,
    ) -> None:
        self._table = table
        self._admission = admission
        self._forwarder = forwarder
        self._pace = pace
        self._accesses = accesses
        self._tenant_uploads = tenant_uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS" and scope["raw_path"] == b"*":
            # RFC 9110, 9.3.7: it is asked of all that there is, not of one path.
            await Response(status_code=204, headers={"Allow": ", ".join(METHODS)})(scope, receive, send)
            return
        head = read_head(scope)
        route = self._table.match(head.segments)
        if route is None:
            raise Unknown("path", scope["path"])
        # What was begun on the fast path goes on from where that left it.
        begun: Begun | None = scope["state"].pop(BEGUN, None)
        charged = await self._admission.admit(route, head, scope) if begun is None else begun.admitted()
        with self._accesses.noted(charged.principal, route, head, scope, send) as answer:
            # Without a token nobody has a body passed on that is not here yet.
            limit = min(route.body_limit, READ_AHEAD) if route.public else route.body_limit
            if head.length is not None and head.length > limit:
                raise TooLarge(limit)
            upload = Upload(receive, limit, self._pace())
            try:
                with ExitStack() as held:
                    if begun is not None:
                        held.enter_context(begun.held())
                    await upload.read_ahead(head.has_body)
                    if begun is None:
                        held.enter_context(charged.in_flight.hold(charged.key))
                    if not upload.whole:
                        held.enter_context(self._tenant_uploads.hold(charged.key))
                    await self._forwarder.forward(
                        route, head, scope, upload, answer, charged.rate, self._pace(), charged.holds, begun
                    )
            except ClientGone:
                return
