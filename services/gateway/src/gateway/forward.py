"""Takes a request to its service and the answer back; asks twice only where that cannot do anything twice.

An answer of up to `AT_ONCE` bytes is taken from the service whole, so that no slow client holds the service's connection; a longer one, and one of
unknown length, is passed on while it is made, to a client that takes it quickly enough.
"""

import asyncio
from collections.abc import Callable

import aiohttp
from starlette.types import Scope, Send
from yarl import URL

from gateway.begun import PAUSE, Begun, Incoming
from gateway.head import Head
from gateway.headers import answer_headers, upstream_headers
from gateway.pace import Pace
from gateway.refusals import UpstreamBroke, UpstreamLate, upstream_down
from gateway.upload import ServiceClock, Upload
from tailrace.core.manifest import Route
from tailrace.core.retries.breaker import Breaker
from tailrace.observability.logs import log

RETRIED = frozenset({"GET", "HEAD"})
TRIES = 2
CONNECT_TIMEOUT = 1.0
_LOOK_EVERY = 1.0
"""Seconds within which a stream ends whose session did."""
AT_ONCE = 256 * 1024
CONNECTIONS = 256
# Shorter than the services' own keep-alive (uvicorn: 5 s), so that a connection is not used in the moment it is closed.
KEEP_ALIVE = 3.0
# `Tailrace-Event` names every event of a write: some 30 kB for the longest document.
HEADER_SIZE = 64 * 1024
_NOT_OURS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Forwarder:
    """A keep-alive pool and a breaker per upstream. Open it with `async with`."""

    def __init__(self, upstream: Callable[[str], str]) -> None:
        self._upstream = upstream
        self._breakers: dict[str, Breaker] = {}
        self._client: aiohttp.ClientSession
        self._streams: aiohttp.ClientSession

    async def __aenter__(self) -> "Forwarder":
        self._client = self._pool(CONNECTIONS)
        # Streams have connections of their own: a few hundred of them would leave none to the service's other answers.
        self._streams = self._pool(0)
        return self

    def _pool(self, of_one_host: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=of_one_host, keepalive_timeout=KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            auto_decompress=False,
            skip_auto_headers=_NOT_OURS,
            max_field_size=HEADER_SIZE,
        )

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        await self._streams.close()

    async def forward(
        self,
        route: Route,
        head: Head,
        scope: Scope,
        upload: Upload,
        send: Send,
        own_headers: dict[str, str],
        pace: Pace,
        holds: Callable[[], bool] = lambda: True,
        begun: Begun | None = None,
        tries: int = TRIES,
    ) -> None:
        """Raises a Problem or ClientGone while nothing has been answered yet; after that, an upstream that breaks, and a client that is slower
        than `pace`, end the client's connection. A stream ends, whole, when it `holds` no more. What was `begun` may have been asked already."""
        response = None if begun is None else await begun.answer(self.breaker(route.service))
        if response is None:
            response = await self._ask(route, head, scope, upload, tries=tries if begun is None else tries - 1)
        async with response:
            limit = limit_of(route, head)
            whole = await _whole(response, route, limit)
            headers = answer_headers(response.raw_headers, own_headers)
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            if whole is not None:
                await send({"type": "http.response.body", "body": whole})
                return
            try:
                await _relay(response, send, limit, pace, holds if route.stream else None)
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("answer broke off", upstream=route.service, error=type(error).__name__)

    def breaker(self, service: str) -> Breaker:
        """What leaves a service alone that cannot be reached."""
        found = self._breakers.get(service)
        if found is None:
            found = self._breakers[service] = Breaker()
        return found

    async def _ask(self, route: Route, head: Head, scope: Scope, upload: Upload, tries: int) -> aiohttp.ClientResponse:
        breaker = self.breaker(route.service)
        for number in range(1, tries + 1):
            last = number == tries
            if not breaker.allows():
                raise upstream_down(route.service, breaker.retry_after())
            try:
                response = await self._attempt(route, head, scope, upload)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                breaker.failed()
                if last:
                    raise upstream_down(route.service) from error
            except aiohttp.ClientError as error:
                if upload.failure is not None:
                    raise upload.failure from None
                breaker.failed()
                if last or upload.begun or head.method not in RETRIED:
                    raise UpstreamBroke(route.service) from error
            else:
                breaker.succeeded()
                return response
            await asyncio.sleep(PAUSE)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, route: Route, head: Head, scope: Scope, upload: Upload) -> aiohttp.ClientResponse:
        """One request to the service, up to the head of its answer."""
        limit = limit_of(route, head)
        # A write always has a body here, if an empty one: aiohttp would ask again by itself without one.
        sends = head.has_body or head.writes
        client = self._streams if route.stream else self._client
        timeout = asyncio.timeout(limit)
        clock = ServiceClock(timeout, limit)
        try:
            async with timeout:
                return await client.request(
                    head.method,
                    self._url(route, head),
                    headers=upstream_headers(head, scope, upload.length if upload.whole else head.length, limit),
                    data=upload.chunks(clock) if sends else None,
                    allow_redirects=False,
                )
        except TimeoutError as error:
            if isinstance(error, aiohttp.ClientError):
                raise
            raise UpstreamLate(route.service, limit) from error
        finally:
            clock.stop()

    def _url(self, route: Route, head: Head) -> URL:
        """The service's address with the path and query exactly as the client sent them. Raises Unavailable when it has none."""
        try:
            base = self._upstream(route.service)
        except KeyError as error:
            raise upstream_down(route.service) from error
        query = f"?{head.query}" if head.query else ""
        return URL(f"{base}{head.path}{query}", encoded=True)


async def _whole(response: Incoming, route: Route, limit: float) -> bytes | None:
    """The body of an answer that is not longer than is taken at once, else None. Raises UpstreamBroke, UpstreamLate."""
    if response.content_length is None or response.content_length > AT_ONCE:
        return None
    try:
        async with asyncio.timeout(limit):
            return await response.read()
    except aiohttp.ClientError as error:
        raise UpstreamBroke(route.service) from error
    except TimeoutError as error:
        raise UpstreamLate(route.service, limit) from error


async def _relay(response: Incoming, send: Send, idle: float, pace: Pace, holds: Callable[[], bool] | None) -> None:
    """Raises TimeoutError when the service pauses for `idle` seconds, or the client does not keep pace."""
    more = True
    while more:
        async with asyncio.timeout(idle):
            chunk = await (response.content.readany() if holds is None else _while_it_holds(response, holds))
        more = bool(chunk)
        async with pace.of_client():
            await send({"type": "http.response.body", "body": chunk, "more_body": more})
        pace.moved(len(chunk))


async def _while_it_holds(response: Incoming, holds: Callable[[], bool]) -> bytes:
    """What the service says next; nothing, once the stream is to end."""
    while holds():
        try:
            async with asyncio.timeout(_LOOK_EVERY):
                return await response.content.readany()
        except TimeoutError:
            continue
    log.info("stream ended: its token or session did")
    return b""


def limit_of(route: Route, head: Head) -> float:
    return route.write_timeout if head.writes else route.read_timeout
