"""One read of what the gateway puts together, on a connection of the fast path: a part of a screen, or what a GraphQL document asks for.

It is awaited, as a whole exchange is not. An answer that is not plain is read by aiohttp's parser to its end; a connection that is lost before an
answer began is held against the service, and the caller asks once more by the other way, as `Forwarder` does.
"""

import asyncio

import aiohttp

from gateway.fast.answer import Answer
from gateway.fast.coming import AnswerComing
from gateway.fast.pool import Connection
from gateway.head import Head, Headers
from gateway.headers import Said
from gateway.refusals import UpstreamBroke, UpstreamLate
from tailrace.core.errors import Problem
from tailrace.core.retries.breaker import Breaker

Whole = tuple[int, Headers, bytes]
"""Status, headers and body."""
_Outcome = Whole | AnswerComing | Problem | None


class Part:
    """See the module. `gateway.fast.pool.Asker`. The service has `limit` seconds for the head of its answer, and for the rest."""

    def __init__(self, service: str, limit: float) -> None:
        self._service, self._limit = service, limit
        self._outcome: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._connection: Connection | None = None
        self._breaker: Breaker

    async def ask(self, connection: Connection, head: Head, said: Said) -> Whole | None:
        """None when no answer had begun. Raises UpstreamBroke, UpstreamLate."""
        self._breaker = connection.pool.breaker
        request = connection.pool.written(head, said)
        self._connection = connection
        connection.ask(self, request, self._limit)
        try:
            outcome = await self._outcome
        except asyncio.CancelledError:
            self._left()
            raise
        if isinstance(outcome, Problem):
            raise outcome
        return await self._read(outcome) if isinstance(outcome, AnswerComing) else outcome

    def _left(self) -> None:
        """Nobody waits any more, and what comes now would pass for the next answer."""
        if self._connection is not None:
            self._connection.close()
        elif not self._outcome.cancelled() and isinstance(coming := self._outcome.result(), AnswerComing):
            coming.close()

    async def _read(self, coming: AnswerComing) -> Whole | None:
        try:
            async with await coming.head() as answer, asyncio.timeout(self._limit):
                return answer.status, list(answer.raw_headers), await answer.read()
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError) as error:
            self._breaker.failed()
            raise UpstreamBroke(self._service) from error
        except TimeoutError as error:
            raise UpstreamLate(self._service, self._limit) from error
        finally:
            coming.close()

    def answered(self, answer: Answer, body: bytes) -> None:
        self._done((answer.status, answer.headers, body))

    def bent(self, transport: asyncio.Transport, data: bytes) -> None:
        if self._outcome.done():
            transport.close()
            return
        self._done(AnswerComing(transport, data, self._service, self._limit))

    def broke(self, begun: bool) -> None:
        if not begun:
            self._breaker.failed()
        self._done(UpstreamBroke(self._service) if begun else None)

    def late(self) -> None:
        self._done(UpstreamLate(self._service, self._limit))

    def _done(self, outcome: _Outcome) -> None:
        self._connection = None
        if not self._outcome.done():
            self._outcome.set_result(outcome)
