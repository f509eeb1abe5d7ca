"""What cannot be taken as HTTP is refused like everything else, with a problem document, and the connection ends.

That is: what cannot be parsed (400), a request target or a head that is too long (414, 431), a request whose head does not arrive in time (408),
and connections beyond those that a process holds, or that one address may hold of them if it is no trusted proxy (503). A connection on which nothing
at all arrives is closed without a word, and one whose other end does not take what was answered is cut off.

Who is refused while a request still arrives gets to read why (RFC 9112, section 9.6): a connection that is closed with bytes unread is reset, and the
answer is lost with it. So only our half of it is closed at first, and what still comes is thrown away, in bounds of time, bytes and connections.
"""

import asyncio
import json
import resource
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network
from typing import Any, ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tailrace.core.errors import BadRequest, Problem, RequestTimeout, Unavailable
from tailrace.core.ids import uuid7
from tailrace.http.protocol.addresses import address_key, is_among
from tailrace.http.protocol.admission import HANG_UP
from tailrace.http.protocol.problem_details import MEDIA_TYPE

LONGEST_HEAD = 64 * 1024
"""Bytes of a head that arrives in pieces; one that comes at once may be a little longer. `Tailrace-After` alone names every event of a write, some
30 kB for the longest document."""
READ_ON = 16 * 1024 * 1024
"""Bytes of a body that are still taken, and thrown away, once its request was refused."""


class TargetTooLong(Problem):
    """414: the path and the query are longer than any head may be (RFC 9112, section 3)."""

    status, slug, title = 414, "target-too-long", "The path and query are too long"


class HeadTooLarge(Problem):
    """431: the head of the request is longer than is taken (RFC 6585, section 5)."""

    status, slug, title = 431, "head-too-large", "The headers are too large"


class _Transport:
    """The transport as uvicorn sees it. Told to close, it leaves to the protocol how."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None], is_closing: Callable[[], bool]) -> None:
        self._transport = transport
        self.write = transport.write
        self.close = close
        self.is_closing = is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


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

    lingering_at_most: ClassVar[int] = 250
    lingering: "ClassVar[set[HttpProtocol]]" = set()
    """Connections that have nothing more to say, and are read on so that their last answer is read. They count among no others."""

    _head_due: asyncio.TimerHandle | None = None
    _look_due: asyncio.TimerHandle | None = None
    _rest_due: asyncio.TimerHandle | None = None
    _rest_left = 0
    _socket: asyncio.Transport
    _silent = True
    _counted = False
    _address = ""
    _untaken = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._socket = transport
        self.transport = cast(asyncio.Transport, _Transport(transport, self._close, self._is_closing))
        self._address = address_key(self.client[0] if self.client else None)
        self.held[self._address] += 1
        self._counted = True
        if len(self.connections) > self.connections_at_most:
            self._refuse(Unavailable("Too many connections; try again shortly."))
        elif self.held[self._address] > self.of_one_address and not self._of_proxy():
            self._refuse(Unavailable("Too many connections from this address; use those that there are."))
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        if self in self.lingering:
            self._throw_away(len(data))
            return
        self._silent = False
        if self._head_due is None and self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_head()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_arrived()
        if self._rest_due is not None and not self._is_closing():
            self._rest_received(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        self._watched()
        self._rest_awaited()
        self.lingering.discard(self)
        self._uncount()
        self._abandon()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._has_rest() and not self.transport.is_closing():
            self._await_rest()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer once, if no answer has begun, and close. uvicorn calls it where it handles what the parser raised."""
        self._refuse(self._why(sys.exc_info()[1], msg))

    def _why(self, error: BaseException | None, said: str) -> Problem:
        if getattr(error, "error_status_hint", None) != HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            return BadRequest(said)
        if b"\n" in self.conn.trailing_data[0]:
            return HeadTooLarge(f"The head of a request has at most {LONGEST_HEAD} bytes.")
        return TargetTooLong(
            f"The head of a request has at most {LONGEST_HEAD} bytes, and its first line alone has more."
        )

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

    def _has_rest(self) -> bool:
        """Whether a request was answered before its body was here."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _await_rest(self) -> None:
        """The connection is good for another request once the rest of the body was thrown away; it does not wait for it for ever."""
        self._unset_keepalive_if_required()
        self._rest_left = READ_ON
        self._rest_due = self.loop.call_later(self.head_within, self._socket.close)

    def _rest_received(self, size: int) -> None:
        if self._has_rest():
            self._throw_away(size)
            return
        self._rest_awaited()
        if self.conn.our_state is h11.IDLE and not self.transport.is_closing():
            # uvicorn took the bytes of the body for the beginning of a request, which would be waited for without end.
            self._unset_keepalive_if_required()
            wait, close = self.timeout_keep_alive, self.timeout_keep_alive_handler
            self.timeout_keep_alive_task = self.loop.call_later(wait, close)

    def _rest_awaited(self) -> None:
        if self._rest_due is not None:
            self._rest_due.cancel()
            self._rest_due = None

    def _throw_away(self, size: int) -> None:
        self._rest_left -= size
        if self._rest_left < 0:
            self._socket.close()

    def _close(self) -> None:
        """In two steps, where more may be on its way or was not read."""
        received, _ = self.conn.trailing_data
        if self.conn.their_state in (h11.SEND_BODY, h11.ERROR) or self.flow.read_paused or received:
            self._linger()
        else:
            self._socket.close()

    def _is_closing(self) -> bool:
        return self in self.lingering or self._socket.is_closing()

    def _linger(self) -> None:
        """Say nothing more, and throw away what comes until the other end closes, too; or longer than enough."""
        if self._is_closing():
            return
        self._head_arrived()
        self._unset_keepalive_if_required()
        self._rest_awaited()
        if len(self.lingering) >= self.lingering_at_most or not self._socket.can_write_eof():
            self._socket.close()
            return
        self.lingering.add(self)
        self.connections.discard(self)
        self._uncount()
        self._abandon()
        self._rest_left = READ_ON
        self._rest_due = self.loop.call_later(self.head_within, self._socket.close)
        self._socket.write_eof()
        self.flow.resume_reading()

    def _uncount(self) -> None:
        if self._counted:
            self._counted = False
            self.held[self._address] -= 1
            if not self.held[self._address]:
                del self.held[self._address]

    def _abandon(self) -> None:
        """Nobody takes the answer to what is under way."""
        if self.cycle is None or self.cycle.response_complete:
            return
        hang_up = self.scope.get("state", {}).get(HANG_UP)
        if hang_up is not None:
            hang_up()
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self.flow.resume_writing()

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
        # Whatever was refused, more of it may be on its way.
        self._linger()

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
    protocol: type[HttpProtocol] = HttpProtocol,
) -> type[HttpProtocol]:
    """The protocol with these limits; connections never take more than half of the files that the process may open, and those of one address
    never more than half of that, where there is a limit to them. `proxies` have none."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most, seconds, rate, trusted = min(connections, max(files // 2, 1)), head_within, takes_at_least, proxies
    share = most if of_one_address is None else min(of_one_address, max(most // 2, 1))

    class Limited(protocol):  # type: ignore[valid-type, misc]
        connections_at_most = most
        of_one_address = share
        held: ClassVar[Counter[str]] = Counter()
        lingering_at_most = max(most // 8, 1)
        lingering: ClassVar[set[HttpProtocol]] = set()
        head_within = seconds
        takes_at_least = rate
        proxies = trusted

    return Limited
