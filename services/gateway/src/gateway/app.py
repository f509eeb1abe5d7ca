"""The gateway's app: its own pages and health as ordinary routes, and everything else forwarded by the route table."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

from gateway import health, pages
from gateway.accesses import Accesses, Teller, load_templates
from gateway.admission import Admission, Shares
from gateway.asking import Asking
from gateway.compression import Compression
from gateway.fast.door import FastDoor
from gateway.fast.pool import Pools
from gateway.fast.protocol import protocol_of
from gateway.feed import Feed, UserEvents
from gateway.forward import Forwarder
from gateway.gateway import Gateway
from gateway.graph.door import METHODS as GRAPHQL_METHODS
from gateway.graph.door import PREFIX as GRAPHQL
from gateway.graph.door import Door, Inside
from gateway.graph.offer import OFFER, Offer
from gateway.in_flight import InFlight
from gateway.limits import Limit
from gateway.pace import Pace
from gateway.revocations import Revocations
from gateway.routes import Forwarded, forwarded
from gateway.screen_reads import ScreenReads
from gateway.screens import SCREENS
from gateway.table import load_table
from gateway.tokens import Tokens
from tailrace.core.screens import Screen
from tailrace.http.auth import Verifier
from tailrace.http.jwks import PublishedKeys
from tailrace.http.protocol import problem_details
from tailrace.http.protocol.admission import AdmissionControl
from tailrace.http.protocol.middleware import HeadAsGet, RequestId
from tailrace.kafka.diary import Diary
from tailrace.observability import metrics, tracing
from tailrace.runtime.openapi_screens import PREFIX
from tailrace.settings import Settings

_EXPOSED = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Tailrace-Event",
    "Tailrace-Freshness",
    "X-Request-Id",
)


def build(
    settings: Settings,
    *,
    feed: Feed | None = None,
    promised: Path | None = None,
    screens: Sequence[Screen] = SCREENS,
    offer: Offer = OFFER,
    teller: Teller | None = None,
) -> FastAPI:
    """The app. `feed` tells it about revocations in the place of Kafka, and `teller` is told of accesses then. `promised` is a folder with the
    services' `manifests` and `openapi` in the place of what the contracts carry. Raises ValueError when the manifests contradict each other."""
    table = load_table(promised)
    keys = PublishedKeys(settings.jwks_url)
    audiences = {settings.audience, *(route.service for route in table.routes)}
    revocations = Revocations(settings.token_lifetime)
    follow = (feed or UserEvents(settings)).run
    forwarder = Forwarder(settings.upstream_of)
    shares = Shares(
        tenant_rate=Limit("tenant", rate=settings.tenant_rate, burst=settings.tenant_burst),
        address_rate=Limit("address", rate=settings.address_rate, burst=settings.address_burst),
        tenant_requests=InFlight("requests", "tenant", settings.tenant_requests),
        tenant_streams=InFlight("streams of events", "tenant", settings.tenant_streams),
        tenant_uploads=InFlight("requests with a long body", "tenant", settings.tenant_uploads),
        address_requests=InFlight("requests without a token", "address", settings.address_requests),
    )
    tokens = Tokens(Verifier(keys, issuer=settings.issuer, audiences=audiences), at_hand=keys.at_hand)
    admission = Admission(tokens, revocations, shares, settings.audience)
    pace = partial(Pace, settings.client_grace, settings.client_rate)
    diary = Diary(settings.kafka, "/tailrace/gateway") if feed is None else None
    accesses = Accesses(load_templates(promised, screens), teller or diary)
    gateway = Gateway(table, admission, forwarder, pace, accesses, tenant_uploads=shares.tenant_uploads)
    pools = Pools(settings.upstream_of, forwarder.breaker)
    # With a collector, each call has a span of its own, which the forwarder's client makes.
    asking = Asking(table, forwarder, pace, pools if settings.fast_path and not tracing.is_on() else None)
    screen_reads = ScreenReads(screens, admission, asking, accesses)

    def graphql() -> Inside:
        from gateway.graph.build import endpoint

        return endpoint(settings, asking, pace, offer=offer, screens=screens, promised=promised)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        working = [asyncio.create_task(follow(revocations))]
        if diary is not None:
            working.append(asyncio.create_task(diary.run()))
        try:
            async with forwarder:
                yield
        finally:
            pools.close()
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    app = FastAPI(
        title="Tailrace gateway",
        version="1",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problem_details.install(app)
    own = [health.router(keys, revocations), pages.router(promised), metrics.router]
    for router in own[:-1]:
        app.include_router(router)
    app.include_router(health.for_operators(metrics.router, settings.metrics_from))
    app.router.routes.append(Forwarded(PREFIX, screen_reads, ("GET", "HEAD")))
    app.router.routes.append(Forwarded(GRAPHQL, HeadAsGet(Door(admission, accesses, graphql)), GRAPHQL_METHODS))
    app.router.routes.extend(forwarded(table, gateway))
    app.router.default = gateway
    app.add_middleware(Compression)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
                "If-None-Match",
                "If-Range",
                "Last-Event-ID",
                "Range",
                "Tailrace-After",
                "X-Request-Id",
            ],
            expose_headers=_EXPOSED,
        )
    app.add_middleware(AdmissionControl)
    app.add_middleware(RequestId, public=[route.prefix for route in table.routes if route.public])
    tracing.instrument(app, metrics.provider())
    door = FastDoor(
        table,
        admission,
        pools,
        accesses,
        app.state,
        own=_paths(own),
        cors=bool(settings.cors_origins),
    )
    app.state.fast = door
    if settings.fast_path and not tracing.is_on():
        app.state.protocol = protocol_of(door)
    return app


def _paths(routers: Sequence[APIRouter]) -> list[str]:
    """Of what the gateway answers itself."""
    return [PREFIX, GRAPHQL, *(str(getattr(route, "path", "")) for router in routers for route in router.routes)]
