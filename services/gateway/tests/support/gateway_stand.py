"""A real gateway on a loopback socket, with a real identity that publishes keys and a real upstream behind it."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from contracts.users import UserEvent
from gateway.app import build
from gateway.fast.door import FastDoor
from gateway.graph.offer import OFFER, Offer
from gateway.revocations import Revocations
from gateway.service import service
from tailrace.core.events import Event, Meta
from tailrace.core.screens import Screen
from tailrace.http.auth import TYPE
from tailrace.runtime.process import http_config
from tailrace.service import Service
from tailrace.settings import Settings

KEY = RSAKey.generate_key(2048, {"kid": "current", "use": "sig", "alg": "RS256"})

ROUTES: list[dict[str, Any]] = [
    {"service": "orders", "prefix": "/v1/orders", "body_limit": 1000, "read_timeout": 10, "write_timeout": 10},
    {"service": "orders", "prefix": "/v1/orders/never", "read_timeout": 0.3, "write_timeout": 0.3},
    {"service": "orders", "prefix": "/v1/orders/live", "stream": True, "read_timeout": 30},
    {"service": "orders", "prefix": "/v1/slow", "read_timeout": 2, "write_timeout": 2},
    {"service": "catalog", "prefix": "/v1/orders/catalog"},
    {"service": "orders", "prefix": "/v1/public", "public": True, "read_timeout": 10},
    {"service": "down", "prefix": "/v1/down"},
    {"service": "identity", "prefix": "/.well-known", "public": True},
]


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "tailrace",
        "aud": "tailrace",
        "sub": str(uuid4()),
        "tenant": str(uuid4()),
        "roles": [],
        "scope": "*",
        "sid": str(uuid4()),
        "iat": now,
        "exp": now + 60,
        **changes,
    }


def signed(content: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "current", "typ": TYPE}, content, KEY)


def token(**changes: Any) -> str:
    return signed(claims(**changes))


def bearer(value: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {value or token()}"}


def tell(
    revocations: Revocations,
    event: UserEvent,
    aggregate: UUID,
    sequence: int = 1,
    *,
    at: float = 1_800_000_000.0,
    epoch: int = 1,
) -> None:
    """Let the gateway hear of an event of identity, `at` seconds of the epoch."""
    meta = Meta(
        event_id=uuid4(),
        type=event.type,
        version=1,
        topic=event.topic,
        aggregate_id=aggregate,
        sequence=sequence,
        epoch=epoch,
        tenant_id=uuid4(),
        correlation_id=uuid4(),
        causation_id=None,
        traceparent=None,
        time=datetime.fromtimestamp(at, UTC),
        partition=0,
        offset=0,
    )
    revocations.apply(meta, event.model_dump(mode="json"))


def free_socket() -> socket.socket:
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener


class Servers:
    """Apps on free ports, set up as `tailrace.runtime.process` does it; all stop together."""

    def __init__(self) -> None:
        self._running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def start(self, app: FastAPI, of: Service, settings: Settings | None = None, *, running: bool = False) -> int:
        """Its port. What the application begins and ends with is left alone if it is `running` already."""
        listener = free_socket()
        port: int = listener.getsockname()[1]
        config = http_config(of, app, "127.0.0.1", port, settings)
        config.lifespan = "off" if running else config.lifespan
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve(sockets=[listener]))
        self._running.append((server, serving))
        while not server.started and not serving.done():  # noqa: ASYNC110  (uvicorn offers a flag, not an event)
            await asyncio.sleep(0.005)
        return port

    @property
    def newest(self) -> uvicorn.Server:
        return self._running[-1][0]

    async def stop(self) -> None:
        for server, _ in self._running:
            server.should_exit = True
        await asyncio.gather(*(serving for _, serving in self._running))


@dataclass
class Upstream:
    """A service that remembers what it got and answers with it."""

    name: str
    seen: list[dict[str, Any]] = field(default_factory=list)
    says: dict[str, Callable[[Request], Any]] = field(default_factory=dict)
    """What it answers at a path, in the place of what it got."""
    release: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    streams: int = 0
    """That are open."""
    meeting: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(3))

    def app(self) -> FastAPI:
        app = FastAPI(redirect_slashes=False)
        app.add_api_route("/v1/public/problem", self.problem, methods=["GET"])
        app.add_api_route("/v1/public/malformed", self.malformed, methods=["GET"])
        app.add_api_route("/v1/public/late", self.late, methods=["GET"])
        app.add_api_route("/v1/public/stream", self.stream, methods=["GET"])
        app.add_api_route("/v1/public/text", self.text, methods=["GET", "HEAD"])
        app.add_api_route("/v1/public/file", self.file, methods=["GET"])
        app.add_api_route("/v1/public/events", self.events, methods=["GET"])
        app.add_api_route("/v1/public/same", self.same, methods=["GET"])
        app.add_api_route("/v1/public/long", self.long, methods=["GET"])
        app.add_api_route("/v1/orders/long", self.long, methods=["GET"])
        app.add_api_route("/v1/orders/live", self.live, methods=["GET"])
        app.add_api_route("/v1/orders/never", self.wait, methods=["GET", "POST"])
        app.add_api_route("/v1/orders/meet/{id}", self.meet, methods=["GET"])
        app.add_api_route("/v1/slow/write", self.wait, methods=["POST"])
        app.add_api_route("/v1/public/wait", self.wait, methods=["GET"])
        app.add_api_route("/{path:path}", self.echo, methods=["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
        return app

    async def echo(self, request: Request) -> Response:
        body = await request.body()
        got = {
            "service": self.name,
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": [[name, value] for name, value in request.headers.items()],
            "size": len(body),
            "body": body[:2000].decode("latin-1"),
        }
        self.seen.append(got)
        said = self.says[request.url.path](request) if request.url.path in self.says else got
        if isinstance(said, Response):
            return said
        answer = Response(orjson.dumps(said), media_type="application/json")
        answer.headers["ETag"] = '"7"'
        if mark := request.headers.get("Tailrace-After"):
            answer.headers["Tailrace-Event"] = mark
        answer.headers["Connection"] = "x-internal"
        answer.headers["X-Internal"] = "1"
        answer.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        return answer

    async def problem(self) -> Response:
        return Response(b'{"type":"urn:mine","status":409}', 409, media_type="application/problem+json")

    async def malformed(self) -> Response:
        return Response(b'{"type":"urn:mine","title":"No","status":400}', 400, media_type="application/problem+json")

    async def late(self, request: Request) -> Response:
        self.seen.append({"path": request.url.path})
        body = b'{"type":"urn:tailrace:problem:not-yet-consistent","status":503}'
        return Response(body, 503, {"Retry-After": "1"}, media_type="application/problem+json")

    async def stream(self) -> StreamingResponse:
        return StreamingResponse(self.parts(b"first", b"second"))

    async def text(self) -> StreamingResponse:
        return StreamingResponse(self.parts(b"first", b"second"), media_type="text/plain")

    async def file(self, request: Request) -> Response:
        whole = b"0123456789" * 500
        part = "range" in request.headers
        said = {"Content-Range": "bytes 0-4999/9999"} if part else {"Cache-Control": "private, no-transform"}
        return Response(whole, 206 if part else 200, {"ETag": '"7"', **said}, media_type="text/plain")

    async def events(self) -> StreamingResponse:
        parts = self.parts(b"data: first\n\n", b"data: second\n\n")
        return StreamingResponse(parts, media_type="text/event-stream")

    async def live(self) -> StreamingResponse:
        return StreamingResponse(self.going_on(), media_type="text/event-stream")

    async def going_on(self) -> AsyncIterator[bytes]:
        """Until somebody goes."""
        self.streams += 1
        try:
            async for part in self.parts(b"data: first\n\n", b"data: second\n\n"):
                yield part
        finally:
            self.streams -= 1

    async def parts(self, *parts: bytes) -> AsyncIterator[bytes]:
        yield parts[0]
        await self.release.wait()
        yield parts[1]

    async def same(self) -> Response:
        return Response(status_code=304, headers={"ETag": '"7"'})

    async def long(self, size: int) -> Response:
        self.entered.set()
        return Response(b"x" * size, media_type="application/octet-stream")

    async def meet(self, id: UUID) -> Response:
        """Answers once three requests are here together."""
        async with asyncio.timeout(300), self.meeting:
            return Response(orjson.dumps({"id": id, "parent_id": None}), media_type="application/json")

    async def wait(self, request: Request) -> Response:
        await request.body()
        self.seen.append({"path": request.url.path})
        self.entered.set()
        await self.release.wait()
        self.finished.set()
        return Response(b"done")


class ByHand:
    """Tells the gateway of no revocation but those that a test applies itself. Silent until `begin`."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.current = asyncio.Event()
        self.revocations: Revocations

    async def run(self, revocations: Revocations) -> None:
        self.revocations = revocations
        await self.begun.wait()
        revocations.is_current()
        self.current.set()


class Told:
    """What the gateway told of accesses."""

    def __init__(self) -> None:
        self.of: list[tuple[UUID, Event, UUID, str]] = []

    def note(self, tenant_id: UUID, event: Event, *, correlation_id: UUID, actor: str) -> None:
        self.of.append((tenant_id, event, correlation_id, actor))


@dataclass
class Stand:
    """The gateway under test, its upstreams, and a client that talks to it."""

    feed: ByHand
    port: int
    client: aiohttp.ClientSession
    orders: Upstream
    catalog: Upstream
    server: uvicorn.Server
    told: Told
    fast: FastDoor

    @property
    def connections(self) -> int:
        """That the gateway holds."""
        return len(self.server.server_state.connections)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def raw(self, request: bytes) -> bytes:
        """Send bytes as they are and read until the gateway closes; `request` should ask for that."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 300)
        finally:
            writer.close()


MakeStand = Callable[..., Awaitable[Stand]]


def write_promises(folder: Path) -> None:
    """What each of the services behind this gateway promises."""
    (folder / "manifests").mkdir(parents=True, exist_ok=True)
    for name in {route["service"] for route in ROUTES}:
        routes = [route for route in ROUTES if route["service"] == name]
        (folder / "manifests" / f"{name}.json").write_bytes(orjson.dumps({"service": name, "routes": routes}))


@asynccontextmanager
async def stand_with(
    tmp_path: Path, *, begun: bool = True, screens: Sequence[Screen] = (), offer: Offer = OFFER, **settings: Any
) -> AsyncIterator[Stand]:
    """`begun` is False for a gateway that has read no revocations yet."""
    identity = FastAPI()
    identity.add_api_route("/.well-known/jwks.json", lambda: KeySet([KEY]).as_dict(private=False), methods=["GET"])
    orders, catalog = Upstream("orders"), Upstream("catalog")
    promised = tmp_path / "promised"
    write_promises(promised)
    behind = Service(name="behind")
    servers = Servers()
    try:
        ports = {
            name: await servers.start(app, behind)
            for name, app in {"identity": identity, "orders": orders.app(), "catalog": catalog.app()}.items()
        }
        with free_socket() as closed:
            ports["down"] = closed.getsockname()[1]
        settings.setdefault("jwks_url", f"http://127.0.0.1:{ports['identity']}/.well-known/jwks.json")
        feed = ByHand()
        if begun:
            feed.begun.set()
        given = Settings(ports=ports, **settings)
        told = Told()
        app = build(given, feed=feed, promised=promised, screens=screens, offer=offer, teller=told)
        port = await servers.start(app, service, given)
        if begun:
            await feed.current.wait()
        url = f"http://127.0.0.1:{port}"
        plain: dict[str, Any] = {"auto_decompress": False, "skip_auto_headers": ["Accept-Encoding"]}
        async with aiohttp.ClientSession(url, max_field_size=2**16, **plain) as client:
            yield Stand(feed, port, client, orders, catalog, servers.newest, told, app.state.fast)
    finally:
        orders.release.set()
        await servers.stop()
