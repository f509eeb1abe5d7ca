"""The app factory, top to bottom: read this and you know what every service does before its own code runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from tailrace.db.database import Database
from tailrace.http import openapi
from tailrace.http.auth import Verifier, verifier_from
from tailrace.http.naming import operation_id
from tailrace.http.protocol import problem_details
from tailrace.http.protocol.admission import AdmissionControl
from tailrace.http.protocol.dispatch import Dispatch
from tailrace.http.protocol.middleware import BodyLimit, HeadAsGet, RequestId
from tailrace.http.routing import TenantRoute
from tailrace.messaging.beginnings import Beginnings
from tailrace.observability import metrics, tracing
from tailrace.runtime import health
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.storage.store import store_of
from tailrace.storage.uploads import Uploads


class Application(FastAPI):
    """FastAPI, but for its OpenAPI document, which says all that a client can meet on the routes of its `service`."""

    service: Service

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            openapi.complete(super().openapi(), _routes_of(self.service))
        return super().openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As FastAPI has it, but for what it looks for with each request: a collector that somebody configured besides ours."""
        if scope["type"] == "lifespan" or tracing.is_on():
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Without what FastAPI has outside of it: `RequestId` answers every error, and bounds of bodies are said elsewhere."""
        stack: Any = super().build_middleware_stack()
        while not (tracing.is_on() or isinstance(stack, RequestId)):
            stack = stack.app
        return stack  # type: ignore[no-any-return]


def build_app(service: Service, settings: Settings, *, verifier: Verifier | None = None) -> FastAPI:
    """The service as a plain FastAPI application; its database pool opens and closes with the lifespan.

    `verifier` replaces the one that fetches identity's published keys (tests sign their own tokens).
    """
    if service.build is not None:
        return service.build(settings)
    app = Application(
        title=f"Tailrace {service.name}",
        version="1",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.service = service
    equip(app, settings, verifier)
    problem_details.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    routes = _routes_of(service)
    for router in service.routers:
        app.include_router(router)
    known = [*health.router.routes, *metrics.router.routes, *routes]
    app.add_middleware(Dispatch, routes=known)
    app.add_middleware(BodyLimit, limit=settings.body_limit, routes=routes)
    app.add_middleware(HeadAsGet)
    app.add_middleware(AdmissionControl)
    app.add_middleware(RequestId, public=[exposed.prefix for exposed in service.exposes if exposed.public])
    tracing.instrument(app, metrics.provider())
    return app


def equip(app: Application, settings: Settings, verifier: Verifier | None = None) -> None:
    """Give an application what it has for one lifespan; nothing stays of the one before."""
    service, app.state = app.service, State()
    app.state.settings = settings
    app.state.stopping = asyncio.Event()
    app.state.serves_api = True
    app.state.topic = service.topic
    app.state.teams = service.teams
    app.state.beginnings = Beginnings(service.subscribers)
    app.state.verifier = verifier or verifier_from(settings, service.name)
    routes = _routes_of(service)
    for kind in {type(route) for route in routes if isinstance(route, TenantRoute)}:
        # A word in a path is no id, whichever router has it.
        kind.siblings = routes


def _routes_of(service: Service) -> list[BaseRoute]:
    return [route for router in service.routers for route in router.routes]


@asynccontextmanager
async def _lifespan(app: Application) -> AsyncIterator[None]:
    service, settings = app.service, app.state.settings
    database = Database(
        settings.database(service.name),
        service.name,
        pool=settings.database_pool,
        overflow=settings.database_overflow,
    )
    app.state.database = database
    if service.attachments:
        app.state.store = store_of(settings, service.name)
        app.state.uploads = Uploads(settings.storage_uploads)
    try:
        if service.on_start is not None:
            await service.on_start(app, settings)
        yield
    finally:
        await database.close()
