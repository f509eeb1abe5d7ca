"""The protocol of the gateway's connections: the kit's, with a look at each request before h11 reads it.

While a request is on the fast path, h11 knows nothing of it and is idle; so what the kit's protocol does on an idle connection (limits of
connections, the time that a head may take, keep-alive, a refusal read before the end) holds here as well. What arrives meanwhile is the next
request: it waits, and reading pauses. An answer is written at once, whole; a client that does not take it is cut off by the kit's protocol, and
takes the ASGI path with its next request, which waits until there is room.
"""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Any, ClassVar

import h11
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.begun import Begun
from gateway.fast.door import Caller, FastDoor
from gateway.fast.exchange import Exchange
from gateway.head import Headers
from tailrace.http.protocol.addresses import address_key
from tailrace.http.protocol.uvicorn_protocol import HttpProtocol

_BODY_SOON = 0.05
"""Seconds that a body which begins with its head has to be whole, before its request takes the ASGI path, which knows how slow a client may be."""
_LINES = {each.value: b"HTTP/1.1 %d %s\r\n" % (each.value, each.phrase.encode()) for each in HTTPStatus}


async def _nothing(*_: Any) -> None:
    """An application that answers nothing."""


class FastProtocol(HttpProtocol):
    """See the module. `door` is the process's."""

    door: ClassVar[FastDoor]
    _exchange: Exchange | None = None
    _request = b""
    """What the exchange that is under way was asked by, or what has come of a request whose body is not whole."""
    _next = b""
    """What came behind it."""
    _body_due: asyncio.TimerHandle | None = None
    _ending = False

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._next += data
            self.flow.pause_reading()
            return
        if self._body_due is not None:
            data = self._request + data
        if not self._is_clear() or not self._enter(data):
            self._body_awaited()
            self._request = b""
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        exchange, self._exchange = self._exchange, None
        self._body_awaited()
        super().connection_lost(exc)
        if exchange is not None:
            exchange.client_gone()

    def shutdown(self) -> None:
        if self._exchange is None:
            super().shutdown()
        else:
            self._ending = True

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Write an answer, and see to what comes next."""
        self._exchange, self._request = None, b""
        if self._is_closing():
            return
        line = _LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        fields = [b"%s: %s\r\n" % field for field in (*self.server_state.default_headers, *headers)]
        self.transport.write(b"".join([line, *fields, b"\r\n", body]))
        self.server_state.total_requests += 1
        if self._ending:
            self.transport.close()
            return
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        self._watch()
        if self._next:
            data, self._next = self._next, b""
            self.flow.resume_reading()
            self.data_received(data)

    def bend(self, begun: Begun) -> None:
        """Let h11 have the request, and the ASGI path all that was done about it."""
        self._exchange = None
        data, self._request, self._next = self._request + self._next, b"", b""
        state, self.app_state = self.app_state, {**self.app_state, **begun.state()}
        try:
            super().data_received(data)
        finally:
            self.app_state = state
        if self._ending:
            super().shutdown()

    def _enter(self, data: bytes) -> bool:
        """Whether this is a request of the fast path, or the beginning of one."""
        plain = self.door.read(data)
        if plain is None:
            return False
        self._request, self._silent = data, False
        self._unset_keepalive_if_required()
        if plain.missing:
            if self._body_due is None:
                self._body_due = self.loop.call_later(_BODY_SOON, self._body_late)
            return True
        self._body_awaited()
        outcome = self.door.enter(self, plain, self._caller)
        if isinstance(outcome, Exchange):
            self._head_arrived()
            self._exchange = outcome
        elif outcome is not None:
            self.bend(outcome)
        return outcome is not None

    def _body_awaited(self) -> None:
        if self._body_due is not None:
            self._body_due.cancel()
            self._body_due = None

    def _body_late(self) -> None:
        self._body_due = None
        data, self._request = self._request, b""
        super().data_received(data)

    def _is_clear(self) -> bool:
        """Whether nothing else is under way here, in either direction."""
        conn = self.conn
        return (
            conn.our_state is h11.IDLE
            and conn.their_state is h11.IDLE
            and not conn.trailing_data[0]
            and not self.flow.write_paused
            and self._rest_due is None
            and not self._is_closing()
            and self.client is not None
        )

    def _caller(self, headers: Headers) -> Caller:
        """Whose request this is, as uvicorn's middleware has it."""
        assert self.client is not None and self.scheme is not None
        if not isinstance(self.app, ProxyHeadersMiddleware) or self.client[0] not in self.app.trusted_hosts:
            return Caller(self.client[0], self._address, self.scheme)
        scope: Any = {"type": "http", "client": self.client, "scheme": self.scheme, "headers": headers}
        middleware = ProxyHeadersMiddleware(_nothing)
        middleware.trusted_hosts = self.app.trusted_hosts
        with suppress(StopIteration):
            # It waits for nothing but the application in it, and that for nothing.
            middleware(scope, _nothing, _nothing).send(None)  # type: ignore[arg-type]
        host = scope["client"][0]
        return Caller(host, address_key(host), scope["scheme"])


def protocol_of(entrance: FastDoor) -> type[FastProtocol]:
    """The protocol whose requests come in by this door."""

    class Protocol(FastProtocol):
        door = entrance

    return Protocol
