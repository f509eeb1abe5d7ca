"""A subscription as server-sent events: each result an event `next`, then `complete` (graphql-sse, distinct connections mode).

It ends when the token or the session that opened it does, when its client takes too little too late, and when a service refuses what is to be shown;
the last event before `complete` says why.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, subscribe
from starlette.types import Receive, Send

from gateway.graph.results import refused, shown
from gateway.pace import Pace
from gateway.refusals import Revoked
from tailrace.observability.logs import log

_LOOK_EVERY = 1.0
"""Seconds within which it ends when its session did."""
_SIGN_OF_LIFE = 15.0
_HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}


class Stream:
    """One subscription. `call` is how the operation is executed; `holds` says whether its token would still be let in."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        call: dict[str, Any],
        holds: Callable[[], bool],
        pace: Pace,
        headers: dict[str, str],
    ) -> None:
        self._schema = schema
        self._document = document
        self._call = call
        self._holds = holds
        self._pace = pace
        self._headers = {**_HEADERS, **headers}

    async def answer(self, receive: Receive, send: Send) -> None:
        """Until its end, or its client's."""
        headers = [(name.lower().encode(), value.encode()) for name, value in self._headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.create_task(_gone(receive))
        results = self._results()
        try:
            async for event in _until(results, gone):
                async with self._pace.of_client():
                    await send({"type": "http.response.body", "body": event, "more_body": True})
                self._pace.moved(len(event))
            await send({"type": "http.response.body", "body": b"event: complete\ndata:\n\n"})
        except TimeoutError:
            log.info("subscription ended: its client was too slow")
        finally:
            gone.cancel()
            await results.aclose()

    async def _results(self) -> AsyncGenerator[bytes, None]:
        """The events, with a sign of life where there are none."""
        begun: Any = subscribe(self._schema, self._document, **self._call)
        results = begun if isinstance(begun, ExecutionResult | AsyncGenerator) else await begun
        if isinstance(results, ExecutionResult):
            yield _next(shown(results))
            return
        try:
            async for said in self._while_it_holds(results):
                yield said
        finally:
            await results.aclose()

    async def _while_it_holds(self, results: AsyncGenerator[ExecutionResult, None]) -> AsyncGenerator[bytes, None]:
        waited = 0.0
        coming = asyncio.ensure_future(anext(results, None))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=_LOOK_EVERY)
                if not self._holds():
                    yield _next(refused(Revoked("The token or the session that opened this has ended.")))
                    return
                if done:
                    waited = 0.0
                    try:
                        result = coming.result()
                    except GraphQLError as why:
                        yield _next(refused(why))
                        return
                    if result is None:
                        return
                    yield _next(shown(result))
                    coming = asyncio.ensure_future(anext(results, None))
                elif (waited := waited + _LOOK_EVERY) >= _SIGN_OF_LIFE:
                    waited = 0.0
                    yield b":\n\n"
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _until(events: AsyncGenerator[bytes, None], gone: "asyncio.Task[None]") -> AsyncGenerator[bytes, None]:
    """The events, as long as there is a client."""
    while not gone.done():
        coming = asyncio.ensure_future(anext(events, None))
        await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            return
        if (event := coming.result()) is None:
            return
        yield event


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _next(said: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
