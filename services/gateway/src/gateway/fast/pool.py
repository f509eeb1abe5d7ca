"""Connections to a service that are kept open. A request of the fast path takes one that is idle; where there is none, it takes the ASGI path, and
one more connection is opened for the next.

A connection belongs to one request until its answer is whole. One on which anything is out of order (bytes that nobody asked for, an answer
longer than it says, a client who went) is closed and never used again: what is left on it could pass for the answer to somebody else.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from yarl import URL

from gateway.fast.answer import Answer, Unread, read_answer
from gateway.forward import CONNECT_TIMEOUT, CONNECTIONS, KEEP_ALIVE
from gateway.head import Head
from gateway.headers import Said, handed_on
from tailrace.core.retries.breaker import Breaker

_IN_VAIN = 8
"""Connections in a row that were opened and never used twice: such a service keeps none, and more are opened one a second."""
_ONE_A = 1.0


class Asker(Protocol):
    """Who waits for an answer. One of these is called, once."""

    def answered(self, answer: Answer, body: bytes) -> None: ...

    def bent(self, transport: asyncio.Transport, data: bytes) -> None:
        """The answer is not plain: it goes on by another way, with the connection that it comes on."""
        ...

    def broke(self, begun: bool) -> None:
        """The connection was lost, whether or not the answer had `begun`."""
        ...

    def late(self) -> None: ...


class Connection(asyncio.Protocol):
    """One connection to a service: idle, or with one request under way."""

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self._loop = pool.loop
        self._transport: asyncio.Transport
        self._asker: Asker | None = None
        self._due: asyncio.TimerHandle
        self._within = 0.0
        self._seen = b""
        self._answer: Answer | None = None
        self._body = bytearray()
        self.idle_since = 0.0
        self.used = 0

    @property
    def is_good(self) -> bool:
        return not self._transport.is_closing() and self._loop.time() - self.idle_since < KEEP_ALIVE

    def ask(self, asker: Asker, request: bytes, within: float) -> None:
        """Send a request. The head of its answer has so many seconds, and so has the rest of it."""
        self._asker, self._within = asker, within
        self.used += 1
        self._due = self._loop.call_later(within, self._late)
        self._transport.write(request)

    def close(self) -> None:
        """Nobody waits any more."""
        if self._asker is not None:
            self._asker = None
            self._due.cancel()
        self.pool.lost(self)
        self._transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        asker = self._asker
        if asker is None:
            self.close()
        elif self._answer is not None:
            self._body += data
            self._go_on(asker, self._answer)
        else:
            self._begin(asker, self._seen + data if self._seen else data)

    def connection_lost(self, exc: Exception | None) -> None:
        asker, self._asker = self._asker, None
        self.pool.lost(self)
        if asker is not None:
            self._due.cancel()
            asker.broke(self._answer is not None)

    def _begin(self, asker: Asker, data: bytes) -> None:
        answer = read_answer(data)
        if answer is Unread.PART:
            self._seen = data
        elif isinstance(answer, Answer):
            self._seen = b""
            self.pool.breaker.succeeded()
            if len(data) - answer.begins == answer.length:
                self._end(asker, answer, data[answer.begins :], answer.keeps)
                return
            self._due.cancel()
            self._due = self._loop.call_later(self._within, self._late)
            self._answer, self._body = answer, bytearray(data[answer.begins :])
            self._go_on(asker, answer)
        else:
            self._asker = None
            self._due.cancel()
            self.pool.lost(self)
            asker.bent(self._transport, data)

    def _go_on(self, asker: Asker, answer: Answer) -> None:
        if len(self._body) >= answer.length:
            # More than was announced is nobody's answer.
            whole = len(self._body) == answer.length
            self._end(asker, answer, bytes(self._body[: answer.length]), answer.keeps and whole)

    def _end(self, asker: Asker, answer: Answer, body: bytes, keeps: bool) -> None:
        self._asker = self._answer = None
        self._body = bytearray()
        self._due.cancel()
        if keeps:
            self.pool.put(self)
        else:
            self.close()
        asker.answered(answer, body)

    def _late(self) -> None:
        asker = self._asker
        assert asker is not None
        self.close()
        asker.late()


class Pool:
    """The connections of the fast path to one service, at most as many as the ASGI path has."""

    def __init__(self, base: str, breaker: Breaker) -> None:
        """Raises ValueError for an address that is not plain HTTP."""
        url = URL(base)
        if url.scheme != "http" or url.user is not None or url.host is None:
            raise ValueError(f"{base} is not reached by plain HTTP")
        self.breaker = breaker
        self.below = url.raw_path.rstrip("/").encode()
        """What stands before each path."""
        self.host = url.host_port_subcomponent.encode() if url.host_port_subcomponent else b""
        self._at = url.host, url.port or 80
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._dialling: set[asyncio.Task[None]] = set()
        self._in_vain, self._dialled = 0, float("-inf")
        self.loop = asyncio.get_running_loop()

    def written(self, head: Head, said: Said, body: bytes = b"") -> bytes:
        """A request as it goes to the service."""
        has_length = head.writes or head.length is not None
        fields = handed_on(head, said, len(body) if has_length else None)
        query = f"?{head.query}" if head.query else ""
        target = f"{head.path}{query}".encode()
        lines = [b"%s %s%s HTTP/1.1\r\nhost: %s\r\n" % (head.method.encode(), self.below, target, self.host)]
        lines += [b"%s: %s\r\n" % field for field in fields]
        return b"".join([*lines, b"\r\n", body])

    def take(self) -> Connection | None:
        """One that is idle. Without one, None, and there will be one soon; none for a service that is left alone."""
        while self._idle and not self.breaker.open:
            connection = self._idle.pop()
            if connection.is_good:
                return connection
            connection.close()
        self._dial()
        return None

    def put(self, connection: Connection) -> None:
        """It is idle again."""
        if connection.used > 1:
            self._in_vain = 0
        connection.idle_since = self.loop.time()
        self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """It is closed, or somebody else's."""
        if connection in self._all:
            self._all.remove(connection)
            self._in_vain += connection.used <= 1
            if connection in self._idle:
                self._idle.remove(connection)

    def close(self) -> None:
        for task in self._dialling:
            task.cancel()
        for connection in list(self._all):
            connection.close()

    def _dial(self) -> None:
        now = self.loop.time()
        if len(self._all) + len(self._dialling) >= CONNECTIONS or self.breaker.open:
            return
        if self._in_vain >= _IN_VAIN and now - self._dialled < _ONE_A:
            return
        self._dialled = now
        task = self.loop.create_task(self._connect())
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _connect(self) -> None:
        """What cannot be reached is for the ASGI path to notice."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, connection = await self.loop.create_connection(lambda: Connection(self), *self._at)
        except (OSError, TimeoutError):
            self._in_vain += 1
            return
        self._all.add(connection)
        self.put(connection)


class Pools:
    """Of one process, one for each service, made when it is asked first."""

    def __init__(self, upstream: Callable[[str], str], breaker: Callable[[str], Breaker]) -> None:
        """`upstream` is the address of a service and raises KeyError without one; `breaker` is the service's."""
        self._upstream = upstream
        self._breaker = breaker
        self._pools: dict[str, Pool | None] = {}

    def of(self, service: str) -> Pool | None:
        """None for a service that has no address, or none by plain HTTP."""
        if service not in self._pools:
            try:
                self._pools[service] = Pool(self._upstream(service), self._breaker(service))
            except (KeyError, ValueError):
                self._pools[service] = None
        return self._pools[service]

    def close(self) -> None:
        for pool in self._pools.values():
            if pool is not None:
                pool.close()
