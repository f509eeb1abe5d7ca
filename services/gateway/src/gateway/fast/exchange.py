"""One plain request that was sent to its service: its answer is written at once when it is whole, and what it held is given back, however it ends."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.accesses import GONE, Accesses
from gateway.admission import Charged
from gateway.begun import Begun
from gateway.compression import Coding
from gateway.fast.answer import Answer
from gateway.fast.coming import AnswerComing
from gateway.fast.pool import Connection
from gateway.forward import RETRIED, limit_of
from gateway.head import Head, Headers
from gateway.headers import answer_headers
from gateway.refusals import UpstreamBroke, UpstreamLate
from tailrace.core.errors import Problem
from tailrace.core.manifest import Route
from tailrace.core.retries.breaker import Breaker
from tailrace.http.protocol.admission import Limit
from tailrace.http.protocol.middleware import completed, note_served
from tailrace.observability.logs import log


class Client(Protocol):
    """The connection that a request came on. One of these is called, once."""

    def answer(self, status: int, headers: Headers, body: bytes) -> None: ...

    def bend(self, begun: Begun) -> None:
        """The request takes the ASGI path from here."""
        ...


@dataclass(slots=True)
class Asked:
    """A request that was let in: what is known of it, and what it holds until it ends."""

    route: Route
    head: Head
    charged: Charged
    coding: Coding
    request_id: UUID
    request_text: str
    path: str
    host: str
    """Who asks."""
    trace_id: str | None
    began: float
    limit: Limit | None


class Exchange:
    """See the module. `gateway.fast.pool.Asker`."""

    def __init__(self, client: Client, asked: Asked, accesses: Accesses, breaker: Breaker) -> None:
        self._client: Client | None = client
        self._asked = asked
        self._accesses = accesses
        self._breaker = breaker
        self._connection: Connection | None = None

    def send(self, connection: Connection, request: bytes) -> None:
        self._connection = connection
        connection.ask(self, request, limit_of(self._asked.route, self._asked.head))

    def client_gone(self) -> None:
        """Nobody takes the answer. A read ends; a write is finished, since its answer is kept under its key."""
        self._client = None
        if self._asked.head.writes or self._connection is None:
            return
        self._connection.close()
        log.info("caller gone")
        self._end(GONE, 0)

    def answered(self, answer: Answer, body: bytes) -> None:
        self._connection = None
        try:
            headers, body = self._finished(answer, body)
        except Exception as error:
            log.error("internal error", error=type(error).__name__, exc_info=error)
            self._bend(self._begun(problem=Problem()))
            return
        client, self._client = self._client, None
        # What it held is free before the next request of this client is looked at.
        self._give_back()
        if client is not None:
            client.answer(answer.status, headers, body)
        self._tell(answer.status, answer.status)

    def _finished(self, answer: Answer, body: bytes) -> tuple[Headers, bytes]:
        """The answer as it goes to the client."""
        asked = self._asked
        headers = answer_headers(answer.headers, asked.charged.rate)
        start, end = (
            *asked.coding.take({"type": "http.response.start", "status": answer.status, "headers": headers}),
            *asked.coding.take({"type": "http.response.body", "body": body}),
        )
        return completed(start["headers"], asked.request_text), end["body"]

    def bent(self, transport: asyncio.Transport, data: bytes) -> None:
        route, head = self._asked.route, self._asked.head
        broken = None if head.method in RETRIED else UpstreamBroke(route.service)
        if self._client is None:
            # A write whose client went: what comes of it is nobody's any more.
            transport.close()
            self._end(GONE, 0)
            return
        coming = AnswerComing(transport, data, route.service, limit_of(route, head))
        self._bend(self._begun(coming=coming, broken=broken))

    def broke(self, begun: bool) -> None:
        """As `Forwarder` has it: a read whose answer had not begun is tried once more, and that is held against the service."""
        service = self._asked.route.service
        if not begun:
            self._breaker.failed()
        again = not begun and self._asked.head.method in RETRIED
        self._bend(self._begun(problem=None if again else UpstreamBroke(service)))

    def late(self) -> None:
        route, head = self._asked.route, self._asked.head
        self._bend(self._begun(problem=UpstreamLate(route.service, limit_of(route, head))))

    def _begun(self, **how: object) -> Begun:
        asked = self._asked
        return Begun(
            route=asked.route,
            request_id=asked.request_id,
            began=asked.began,
            charged=asked.charged,
            entered=True,
            taken_on=asked.limit is not None,
            **how,  # type: ignore[arg-type]
        )

    def _bend(self, begun: Begun) -> None:
        """What it holds is held on. When nobody is there to be answered, it ends here."""
        self._connection = None
        client, self._client = self._client, None
        if client is not None:
            client.bend(begun)
        else:
            self._end(begun.problem.status if begun.problem else GONE, 0)

    def _end(self, status: int, answered: int) -> None:
        self._give_back()
        self._tell(status, answered)

    def _give_back(self) -> None:
        asked = self._asked
        asked.charged.in_flight.leave(asked.charged.key)
        if asked.limit is not None:
            asked.limit.leave()

    def _tell(self, status: int, answered: int) -> None:
        """`status` is how its access is told of, `answered` what the client was answered."""
        asked = self._asked
        head, charged = asked.head, asked.charged
        assert charged.principal is not None
        milliseconds = round((time.perf_counter() - asked.began) * 1000)
        self._accesses.tell(charged.principal, asked.route, head, status, milliseconds, asked.request_id, asked.host)
        note_served(
            head.method,
            asked.route.prefix,
            asked.path,
            answered,
            asked.began,
            request_id=asked.request_text,
            upstream=asked.route.service,
            tenant=charged.key,
            trace_id=asked.trace_id,
        )
