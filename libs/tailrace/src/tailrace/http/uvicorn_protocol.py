"""What cannot be taken as HTTP is refused like everything else, with a problem document, and the connection ends.

That is: what cannot be parsed (400), a request whose head does not arrive in time (408), and connections beyond those that a process holds, or that
one address may hold of them if it is no trusted proxy (503). A connection on which nothing at all arrives is closed without a word, and one whose
other end does not take what was answered is cut off.
"""

import asyncio
import json
import resource
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tailrace.core.errors import BadRequest, Problem, RequestTimeout, Unavailable
from tailrace.core.ids import uuid7
from tailrace.http.addresses import address_key, is_among
from tailrace.http.admission import HANG_UP
from tailrace.http.problem_details import MEDIA_TYPE


class HttpProtocol(H11Protocol):
    """uvicorn's strict HTTP/1.1 protocol, with problem documents as its refusals, and with limits."""

    connections_at_most: ClassVar[int] = 2000
    of_one_address: ClassVar[int] = 2000
    held: ClassVar[Counter[str]] = Counter()
    """Connections by the address at their other end."""
    proxies: ClassVar[Sequence[IPv4Network | IPv6Network]] = ()
    """Who may hold any number of them: others speak through these."""
    head_within: ClassVar[float] = 10.0
    """Seconds from the first byte of a request, or from the beginning of the connection, to the end of its head."""

    takes_at_least: ClassVar[int] = 32 * 1024
    """Bytes a second of an answer that the other end takes, over `head_within`."""

    _head_due: asyncio.TimerHandle | None = None
    _look_due: asyncio.TimerHandle | None = None
    _silent = True
    _address = ""
    _untaken = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = address_key(self.client[0] if self.client else None)
        self.held[self._address] += 1
        if len(self.connections) > self.connections_at_most:
            self._refuse(Unavailable("Too many connections; try again shortly."))
        elif self.held[self._address] > self.of_one_address and not self._of_proxy():
            self._refuse(Unavailable("Too many connections from this address; use those that there are."))
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        self._silent = False
        if self._head_due is None and self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_head()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_arrived()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        self._watched()
        self.held[self._address] -= 1
        if not self.held[self._address]:
            del self.held[self._address]
        if self.cycle is not None and not self.cycle.response_complete:
            hang_up = self.scope.get("state", {}).get(HANG_UP)
            if hang_up is not None:
                hang_up()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer once, if no answer has begun, and close."""
        self._refuse(BadRequest(msg))

    def _of_proxy(self) -> bool:
        return is_among(self.client[0] if self.client else None, self.proxies)

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(self.head_within, self._give_up)

    def _head_arrived(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        if self._silent:
            self.transport.close()
        elif not self.transport.is_closing():
            self._refuse(RequestTimeout(f"The head of a request has {self.head_within:g} s."))

    def _watch(self) -> None:
        """From now on, enough of what waits to be taken has to be taken."""
        self._watched()
        self._untaken = self.transport.get_write_buffer_size()
        if self._untaken:
            self._look_due = self.loop.call_later(self.head_within, self._look)

    def _watched(self) -> None:
        if self._look_due is not None:
            self._look_due.cancel()
            self._look_due = None

    def _look(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left > max(self._untaken - self.takes_at_least * self.head_within, 0):
            self.transport.abort()
        else:
            self._watch()

    def _refuse(self, problem: Problem) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(self._written(problem))
        self.transport.close()

    def _written(self, problem: Problem) -> bytes:
        request_id = str(uuid7())
        body = json.dumps(
            {
                "type": f"urn:tailrace:problem:{problem.slug}",
                "title": problem.title,
                "status": problem.status,
                "detail": problem.detail,
                "request_id": request_id,
            }
        ).encode()
        headers = [
            *((problem.headers or {}) | {"Connection": "close"}).items(),
            ("Content-Type", MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", request_id),
        ]
        reason = HTTPStatus(problem.status).phrase
        parts = [
            self.conn.send(h11.Response(status_code=problem.status, headers=headers, reason=reason)),
            self.conn.send(h11.Data(data=body)),
            self.conn.send(h11.EndOfMessage()),
        ]
        return b"".join(part or b"" for part in parts)


def limited(
    connections: int,
    head_within: float,
    *,
    of_one_address: int | None = None,
    takes_at_least: int = 32 * 1024,
    proxies: Sequence[IPv4Network | IPv6Network] = (),
) -> type[HttpProtocol]:
    """The protocol with these limits; connections never take more than half of the files that the process may open, and those of one address
    never more than half of that, where there is a limit to them. `proxies` have none."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most, seconds, rate, trusted = min(connections, max(files // 2, 1)), head_within, takes_at_least, proxies
    share = most if of_one_address is None else min(of_one_address, max(most // 2, 1))

    class Limited(HttpProtocol):
        connections_at_most = most
        of_one_address = share
        held: ClassVar[Counter[str]] = Counter()
        head_within = seconds
        takes_at_least = rate
        proxies = trusted

    return Limited
