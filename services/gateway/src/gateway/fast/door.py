"""What lets a plain request in, in the order in which the ASGI path does: its head, its route, its token, the tenant's allowance, the service."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import Headers as Mapped
from starlette.datastructures import State

from gateway.accesses import Accesses
from gateway.admission import Admission
from gateway.begun import Begun
from gateway.compression import Coding
from gateway.fast.exchange import Asked, Client, Exchange
from gateway.fast.pool import Pools
from gateway.fast.request import Plain, bent_with, read_request
from gateway.forward import limit_of
from gateway.head import Headers, read_head
from gateway.headers import Said
from gateway.table import Table
from gateway.upload import READ_AHEAD
from tailrace.core.errors import BadRequest, Problem
from tailrace.http.protocol.admission import Limit
from tailrace.http.protocol.middleware import given
from tailrace.observability import tracing

_TRACE = frozenset({b"traceparent", b"tracestate", b"baggage"})


@dataclass(slots=True)
class Caller:
    """The other end of a connection or, behind a proxy that is believed, the client that it names."""

    host: str
    key: str
    """What the address counts as."""
    scheme: str


class FastDoor:
    """The fast path of one process of the gateway. `own` are the paths that the gateway answers itself, below which nothing is forwarded."""

    def __init__(
        self,
        table: Table,
        admission: Admission,
        pools: Pools,
        accesses: Accesses,
        state: State,
        *,
        own: Collection[str],
        cors: bool,
    ) -> None:
        self._table = table
        self._admission = admission
        self._accesses = accesses
        self._state = state
        self._bent = bent_with(*([b"origin"] if cors else []))
        self._routes = {
            route.prefix
            for route in table.routes
            if not route.public and not route.stream and not any(_meet(route.prefix, path) for path in own)
        }
        self._pools = pools
        self.passed = 0
        """How many requests were sent on from here."""

    def read(self, data: bytes) -> Plain | None:
        """A request that may be let in once its body is whole. None: it takes the ASGI path."""
        return read_request(data, READ_AHEAD, self._bent)

    def enter(self, client: Client, plain: Plain, caller: Callable[[Headers], Caller]) -> Exchange | Begun | None:
        """Let a request in and send it on. None: nothing was done, and it takes the ASGI path from the beginning."""
        began = time.perf_counter()
        scope = plain.scope
        coding = Coding.of(scope["headers"], plain.method)
        scope["headers"] = coding.known_again(scope["headers"])
        try:
            head = read_head(scope)
        except BadRequest:
            return None
        route = self._table.match(head.segments)
        if route is None or route.prefix not in self._routes or len(plain.body) > route.body_limit:
            return None
        limit: Limit | None = getattr(self._state, "limit", None)
        if not head.host or (limit is not None and limit.busy >= limit.now):
            return None
        who = caller(head.headers)
        request_id = given(head.headers)
        try:
            passport = self._admission.known(route, head, who.key)
        except Problem as problem:
            return Begun(route, request_id, began, problem=problem)
        pool = self._pools.of(route.service) if passport is not None else None
        connection = pool.take() if pool is not None else None
        if passport is None or pool is None or connection is None:
            return None
        # All that is to be made is made before anything is taken that has to be given back.
        trace = _trace_of(head.headers)
        trace_id = None if trace is None else tracing.trace_id(trace)
        request_text = str(request_id)
        said = Said(request_text, trace, who.host, who.scheme, limit_of(route, head))
        request = pool.written(head, said, plain.body)
        if limit is not None:
            limit.enter()
        charged = None
        try:
            charged = self._admission.charge(route, passport)
            charged.in_flight.enter(charged.key)
        except Problem as problem:
            pool.put(connection)
            return Begun(route, request_id, began, charged, taken_on=limit is not None, problem=problem)
        asked = Asked(
            route, head, charged, coding, request_id, request_text, _shown(head.path), who.host, trace_id, began, limit
        )
        self.passed += 1
        exchange = Exchange(client, asked, self._accesses, pool.breaker)
        exchange.send(connection, request)
        return exchange


def _trace_of(headers: Headers) -> Any:
    """What the client says of the trace that it is in; None, when it says nothing."""
    if any(name in _TRACE for name, _ in headers):
        return tracing.entered(Mapped(raw=headers))
    return None


def _shown(path: str) -> str:
    return unquote(path) if "%" in path else path


def _meet(one: str, other: str) -> bool:
    """Whether two paths are one, or one lies below the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
